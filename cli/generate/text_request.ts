import { wayOfThinking } from "../../model/thinking/ways.ts";
import type { PromptRoom } from "../../eval/questions/long_prompts.ts";
import { plainWithin, promptOf, promptOptions } from "../../eval/questions/prompt_ids.ts";
import { EVALUATION_STEP } from "../../eval/evaluate_options.ts";
import { generationEntry } from "../../eval/tasks/open_task.ts";
import type { GenerationEntry } from "../../eval/tasks/task_entry.ts";
import { UserError } from "../../gpu/errors.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { maxNewTokens } from "../../model/generation/check_context.ts";
import type { GenerateRequest } from "../../model/generation/rollout.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import type { Prompt } from "../../model/tokenizer/chat_template.ts";
import { contextOf } from "../../model/transformer/transformer.ts";
import type { GenerateValues } from "./generate_settings.ts";

/** A text that is to be continued or answered. */
export interface TextRequest {
  /** The prompt as text. */
  prompt: string;
  /** It is empty: what is generated stands at a text's beginning. */
  fromNothing: boolean;
  /** Its middle was cut out: the text is longer than the model's context leaves room for. */
  isCut: boolean;
  /** What the model is to do. */
  request: GenerateRequest;
}

/**
 * What a model is asked for a text and the command's values.
 * @throws UserError if the text is empty where one is needed, or the task, the chat template or the text cannot be used
 * @throws LongPromptError if it is too long, and its middle is not to be cut out
 */
export async function textRequest(
  found: FoundModel,
  text: string,
  values: GenerateValues,
): Promise<TextRequest> {
  const { model, tokenizer } = found;
  // A model with a beginning token can write from nothing.
  if (values.raw && text === "" && tokenizer.bosId === undefined) {
    throw new UserError("Cannot generate: the text is empty, a text is needed");
  }
  const task = await generationEntry(values.task);
  const rulesAfter = (promptTokens: number) =>
    thinkingRules(tokenizer, {
      ...limitsOf(task, values, model.config.maxPosition - promptTokens),
      endTokenIds: model.config.eosTokenIds,
    });
  // A text that is only continued goes on as far as there is room, of a whole one for a token at least.
  const after = !values.raw
    ? maxNewTokens(rulesAfter(0))
    : values.longPrompts === "refuse"
    ? 1
    : values.maxTokens;
  const room: PromptRoom = { most: contextOf(model) - after, long: values.longPrompts };
  const prompt: Prompt = values.raw
    ? plainWithin(tokenizer, text, room)
    : await promptOf(tokenizer, task, text, { ...promptOptions(tokenizer, values), room });
  const { samples, thinking } = values;
  return {
    prompt: prompt.text,
    fromNothing: prompt.text === "",
    isCut: room.long === "truncate" && prompt.ids.length === room.most,
    request: {
      prompts: [prompt.ids],
      group: samples,
      thinking: wayOfThinking(thinking, {
        ...values,
        greedy: isGreedy(values),
        embeddingRms: thinking === "hard" ? 0 : found.embeddingRms,
        filters: { topK: values.topK, topP: values.topP, minP: values.minP },
      }),
      rules: rulesAfter(prompt.ids.length),
      answerTau: 0,
      rolloutIds: Uint32Array.from({ length: samples }, (_, i) => i),
      seed: values.seed,
      step: EVALUATION_STEP,
      plain: values.raw,
    },
  };
}

/** One text is what is most probable, unless it is to be drawn; several are always drawn. */
export const isGreedy = ({ sample, samples }: Pick<GenerateValues, "sample" | "samples">): boolean =>
  !sample && samples === 1;

/** @param room positions that the prompt leaves */
function limitsOf({ limits }: GenerationEntry, values: GenerateValues, room: number) {
  const maxThinking = values.raw
    ? Math.min(values.maxTokens, Math.max(1, room))
    : values.maxThinking ?? limits.maxThinkingEval;
  return { maxThinking, maxAnswer: values.answerTokens ?? limits.answerTokens };
}
