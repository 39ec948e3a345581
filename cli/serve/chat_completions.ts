import * as z from "zod";
import type { ChatMessage } from "../../model/tokenizer/chat_template.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { ApiError } from "./api_error.ts";
import { type Answer, answerWith, type Exchange } from "./exchange.ts";
import {
  type ChoiceEnd,
  type ChoicePiece,
  runChoices,
  type TokenLogprob,
  type Usage,
} from "./run_choices.ts";
import { listOf, parseRequest, samplingFields, stopsOf } from "./sampling_request.ts";
import { choiceSettings, mostTokens } from "./sequence_settings.ts";
import { refuseMuchTold } from "./refuse_much_told.ts";
import type { ServedModel } from "./served_model.ts";

const MOST_MESSAGES = 4096;

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: z.union([z.string(), listOf(textPart, 0, MOST_MESSAGES)]),
});

const chatRequest = z.object({
  ...samplingFields,
  messages: listOf(message, 1, MOST_MESSAGES),
  max_tokens: z.int().min(1).max(2 ** 20).optional(),
  max_completion_tokens: z.int().min(1).max(2 ** 20).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(20).default(0),
});

/** Answers a conversation. */
export async function chatCompletions(
  served: ServedModel,
  body: unknown,
  exchange: Exchange,
): Promise<Response> {
  const request = parseRequest(chatRequest, body);
  const messages = request.messages.map(({ role, content }): ChatMessage => ({
    role: role === "developer" ? "system" : role,
    content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
  }));
  const { name, fingerprint, found: { tokenizer }, defaults } = served;
  const thinking = request.softcot?.thinking ?? defaults.thinking;
  const isInstructed = thinking !== "none" && (request.softcot?.instruction ?? true);
  const { ids } = await served.promptOf(messages, isInstructed);
  const settings = choiceSettings(served, {
    ...{ request, thinking, field: "messages" },
    maxTokens: request.max_completion_tokens ?? request.max_tokens,
  }, ids.length);
  if (request.top_logprobs > 0 && !request.logprobs) {
    throw new ApiError(
      400,
      "Cannot tell top_logprobs without logprobs: set logprobs to true",
      "top_logprobs",
    );
  }
  const told = {
    logprobs: request.logprobs ? request.top_logprobs : undefined,
    showMixtures: request.softcot?.show_mixtures ?? false,
  };
  refuseMuchTold(told, request.n * mostTokens(settings));
  const asked = {
    ...{ request, prompt: ids, settings, stops: stopsOf(request), together: false, ...told },
  };
  const head = {
    id: `chatcmpl-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: name,
    system_fingerprint: fingerprint,
  };
  const run: Answer["run"] = (tell, signal) => runChoices(served, asked, tell, signal);
  return answerWith(exchange, {
    run,
    stream: request.stream
      ? {
        head: { ...head, object: "chat.completion.chunk" },
        includeUsage: request.stream_options?.include_usage ?? false,
        opening: settings.keys.map((_, index) => ({
          ...{ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null },
        })),
        piece: (piece) => deltaOf(tokenizer, piece, request.logprobs),
        end: (end) => endOf(end, settings.seed),
        usage: usageOf,
      }
      : null,
    whole: (pieces, ends, usage) => ({
      ...head,
      object: "chat.completion",
      choices: pieces.map((piece, index) => ({
        ...endOf(ends[index], settings.seed, piece),
        message: {
          role: "assistant",
          content: piece.content,
          refusal: null,
          ...(settings.plain ? {} : { reasoning_content: piece.reasoning }),
        },
        logprobs: request.logprobs
          ? { content: piece.logprobs.map((one) => logprobOf(tokenizer, one)) }
          : null,
      })),
      usage: usageOf(usage),
    }),
  });
}

function deltaOf(
  tokenizer: Tokenizer,
  { choice, reasoning, content, logprobs, steps }: ChoicePiece,
  told: boolean,
) {
  return {
    index: choice,
    delta: {
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(content === "" ? {} : { content }),
    },
    logprobs: told && logprobs.length > 0
      ? { content: logprobs.map((one) => logprobOf(tokenizer, one)) }
      : null,
    finish_reason: null,
    ...(steps.length === 0 ? {} : { softcot: { mixtures: steps } }),
  };
}

/** The end of a choice, as a chunk or as a part of the whole. */
export function endOf(
  { choice, finishReason, thinkingEnd, answerEnd, boxed }: ChoiceEnd,
  seed: number,
  whole?: ChoicePiece,
) {
  return {
    index: choice,
    ...(whole ? {} : { delta: {}, logprobs: null }),
    finish_reason: finishReason,
    softcot: {
      seed,
      ...(thinkingEnd === undefined || answerEnd === undefined
        ? {}
        : { thinking_end: thinkingEnd, answer_end: answerEnd }),
      ...(boxed === undefined ? {} : { boxed }),
      ...(whole && whole.steps.length > 0 ? { mixtures: whole.steps } : {}),
    },
  };
}

/** Tokens of a request as OpenAI counts them. */
export const usageOf = ({ promptTokens, completionTokens, thinkingTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  completion_tokens_details: { reasoning_tokens: thinkingTokens },
});

function logprobOf(tokenizer: Tokenizer, { chosen, top }: TokenLogprob) {
  const told = ({ id, logprob }: TokenLogprob["chosen"]) => ({
    token: tokenizer.tokenText(id),
    logprob,
    bytes: [...tokenizer.tokenBytes?.(id) ?? new TextEncoder().encode(tokenizer.tokenText(id))],
  });
  return { ...told(chosen), top_logprobs: top.map(told) };
}
