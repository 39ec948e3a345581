import * as z from "zod";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { ApiError } from "./api_error.ts";
import { endOf, usageOf } from "./chat_completions.ts";
import { answerWith, type Exchange } from "./exchange.ts";
import {
  type ChoiceListener,
  type ChoicePiece,
  runChoices,
  type TokenLogprob,
  type Told,
  type Usage,
} from "./run_choices.ts";
import { parseRequest, samplingFields, stopsOf } from "./sampling_request.ts";
import { scorePrompt } from "./score_prompt.ts";
import { isOnePrompt, type OnePrompt, promptsOf } from "./prompts_of.ts";
import { refuseTooLong } from "./refuse_too_long.ts";
import { type ChoiceSettings, choiceSettings, mostTokens } from "./sequence_settings.ts";
import { refuseMuchTold } from "./refuse_much_told.ts";
import type { ServedModel } from "./served_model.ts";

const completionRequest = z.object({
  ...samplingFields,
  // Looked at by hand: of a million wrong ids a schema tells a million faults.
  prompt: z.custom<OnePrompt | OnePrompt[]>(
    (given) => isOnePrompt(given) || (Array.isArray(given) && given.length > 0 && given.every(isOnePrompt)),
    "a text, a list of token ids, or a list of such prompts is needed",
  ),
  echo: z.boolean().default(false),
  logprobs: z.int().min(0).max(20).optional(),
  best_of: z.int().min(1).optional(),
});

type CompletionRequest = z.infer<typeof completionRequest>;

/** As OpenAI has it. */
const DEFAULT_TOKENS = 16;

/** Continues texts: without thinking unless it is asked for. */
export async function completions(served: ServedModel, body: unknown, exchange: Exchange): Promise<Response> {
  const request = parseRequest(completionRequest, body);
  const asked = await whatIsAsked(served, request, exchange.signal);
  const { name, fingerprint, found: { tokenizer } } = served;
  const head = {
    id: `cmpl-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: name,
    object: "text_completion",
    system_fingerprint: fingerprint,
  };
  const format = createLogprobFormat(tokenizer, asked.prompts.length * request.n);
  const logprobsOf = (piece: ChoicePiece) =>
    request.logprobs === undefined ? null : format(piece.choice, piece.logprobs);
  const seed = asked.settings?.seed ?? request.seed ?? 0;
  return await answerWith(exchange, {
    run: (tell, signal) => continueAll(served, asked, tell, signal),
    stream: request.stream
      ? {
        head,
        includeUsage: request.stream_options?.include_usage ?? false,
        opening: [],
        piece: (piece) => ({
          index: piece.choice,
          text: piece.content,
          logprobs: logprobsOf(piece),
          finish_reason: null,
          ...(piece.steps.length === 0 ? {} : { softcot: { mixtures: piece.steps } }),
        }),
        end: (end) => ({ ...textEnd(endOf(end, seed)), text: "" }),
        usage: usageOf,
      }
      : null,
    whole: (pieces, ends, usage) => ({
      ...head,
      choices: pieces.map((piece, index) => ({
        ...textEnd(endOf(ends[index], seed, piece)),
        text: piece.content,
        logprobs: logprobsOf(piece),
      })),
      usage: usageOf(usage),
    }),
  });
}

const textEnd = ({ delta: _, ...end }: ReturnType<typeof endOf> & { delta?: unknown }) => end;

/** Texts to be gone on with, and how; `settings` is null where they are only echoed. */
interface Asked {
  request: CompletionRequest;
  prompts: number[][];
  settings: ChoiceSettings | null;
  told: Told;
}

/** @throws ApiError 400 where it does not go together, or would not fit */
async function whatIsAsked(
  served: ServedModel,
  request: CompletionRequest,
  signal: AbortSignal,
): Promise<Asked> {
  const { n, logprobs } = request;
  if (request.best_of !== undefined && request.best_of !== n) {
    throw new ApiError(400, "Cannot choose the best of several: leave best_of out", "best_of");
  }
  const prompts = await promptsOf(served, request.prompt, signal);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const maxTokens = request.max_tokens ?? DEFAULT_TOKENS;
  if (maxTokens === 0 && !request.echo) {
    throw new ApiError(400, "Cannot generate 0 tokens: that is for echo alone", "max_tokens");
  }
  const thinking = request.softcot?.thinking ?? "none";
  const settings = maxTokens === 0
    ? null
    : choiceSettings(served, { request, thinking, maxTokens, field: "prompt" }, longest);
  if (!settings) refuseTooLong(longest, 0, served.context, "prompt");
  const told = { logprobs, showMixtures: request.softcot?.show_mixtures ?? false };
  const echoed = request.echo ? prompts.reduce((sum, { length }) => sum + length, 0) : 0;
  refuseMuchTold(told, n * (echoed + (settings ? prompts.length * mostTokens(settings) : 0)));
  return { request, prompts, settings, told };
}

/** Goes on with all prompts at once; choices are numbered through all of them. */
async function continueAll(
  served: ServedModel,
  { request, prompts, settings, told }: Asked,
  tell: ChoiceListener,
  given: AbortSignal,
): Promise<Usage> {
  // Where one prompt is refused, so are the others: nobody waits for them any more.
  const refused = new AbortController();
  const signal = AbortSignal.any([given, refused.signal]);
  const { n } = request;
  const usage: Usage = { promptTokens: 0, completionTokens: 0, thinkingTokens: 0 };
  const goOn = async (prompt: number[], p: number): Promise<void> => {
    usage.promptTokens += prompt.length;
    const at = (choice: number) => p * n + choice;
    if (request.echo) {
      await echo(served, prompt, request, signal, (piece) => {
        for (let choice = 0; choice < n; choice++) tell.piece({ ...piece, choice: at(choice) });
      });
    }
    if (!settings) {
      for (let choice = 0; choice < n; choice++) tell.end({ choice: at(choice), finishReason: "length" });
      return;
    }
    const asked = { request, prompt, settings, stops: stopsOf(request), together: true, ...told };
    const came = await runChoices(served, asked, {
      piece: (piece) => tell.piece({ ...piece, choice: at(piece.choice) }),
      end: (end) => tell.end({ ...end, choice: at(end.choice) }),
    }, signal);
    usage.completionTokens += came.completionTokens;
    usage.thinkingTokens += came.thinkingTokens;
  };
  try {
    await Promise.all(prompts.map(goOn));
  } catch (error) {
    refused.abort();
    throw error;
  }
  return usage;
}

/** Tells the prompt, with its tokens' logprobs where they are asked for. */
async function echo(
  served: ServedModel,
  prompt: readonly number[],
  request: CompletionRequest,
  signal: AbortSignal,
  tell: (piece: Omit<ChoicePiece, "choice">) => void,
): Promise<void> {
  const content = served.found.tokenizer.decode(prompt);
  const { logprobs } = request;
  const scored = logprobs === undefined
    ? []
    : await scorePrompt(served, { request, signal }, prompt, logprobs);
  tell({ reasoning: "", content, logprobs: scored, steps: [] });
}

/** Logprobs in the form of completions, whose offsets count on from piece to piece of each choice. */
function createLogprobFormat(tokenizer: Tokenizer, choices: number) {
  const offsets: number[] = Array(choices).fill(0);
  return (choice: number, tokens: readonly TokenLogprob[]) => ({
    tokens: tokens.map(({ chosen }) => tokenizer.tokenText(chosen.id)),
    token_logprobs: tokens.map(({ chosen }) => Number.isNaN(chosen.logprob) ? null : chosen.logprob),
    top_logprobs: tokens.map(({ chosen, top }) => {
      if (Number.isNaN(chosen.logprob)) return null;
      const told: Record<string, number> = {};
      // Parts of characters have the same text: the likeliest one stands for all.
      for (const { id, logprob } of top) told[tokenizer.tokenText(id)] ??= logprob;
      return told;
    }),
    text_offset: tokens.map(({ chosen }) => {
      const offset = offsets[choice];
      offsets[choice] += tokenizer.tokenText(chosen.id).length;
      return offset;
    }),
  });
}
