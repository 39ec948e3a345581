import { wayOfThinking } from "../../model/thinking/ways.ts";
import { promptIds, promptOf, promptOptions } from "../../eval/questions/prompt_ids.ts";
import { EVALUATION_STEP } from "../../eval/evaluate_options.ts";
import { generationEntry } from "../../eval/tasks/open_task.ts";
import type { GenerationEntry } from "../../eval/tasks/task_entry.ts";
import { UserError } from "../../gpu/errors.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import type { GenerateRequest } from "../../model/generation/rollout.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import type { Prompt } from "../../model/tokenizer/chat_template.ts";
import type { GenerateValues } from "./generate_settings.ts";

/** A text that is to be continued or answered. */
export interface TextRequest {
  /** The prompt as text. */
  prompt: string;
  /** It is empty: what is generated stands at a text's beginning. */
  fromNothing: boolean;
  /** What the model is to do. */
  request: GenerateRequest;
}

/**
 * What a model is asked for a text and the command's values.
 * @throws UserError if the text is empty where one is needed, or the task, the chat template or the text cannot be used
 */
export async function textRequest(
  found: FoundModel,
  text: string,
  values: GenerateValues,
): Promise<TextRequest> {
  const { model, tokenizer } = found;
  // A model with a beginning token can write from nothing.
  const isEnough = text.trim() !== "" || (values.raw && (text !== "" || tokenizer.bosId !== undefined));
  if (!isEnough) {
    throw new UserError(
      `Cannot generate: the text is empty, a ${values.raw ? "text" : "question"} is needed`,
    );
  }
  const task = await generationEntry(values.task);
  const prompt: Prompt = values.raw
    ? { text, ids: promptIds(tokenizer, text) }
    : await promptOf(tokenizer, task, text, promptOptions(tokenizer, values));
  const { samples, thinking } = values;
  return {
    prompt: prompt.text,
    fromNothing: prompt.text === "",
    request: {
      prompts: [prompt.ids],
      group: samples,
      thinking: wayOfThinking(thinking, {
        ...values,
        greedy: isGreedy(values),
        embeddingRms: thinking === "hard" ? 0 : found.embeddingRms,
        filters: { topK: values.topK, topP: values.topP, minP: values.minP },
      }),
      rules: thinkingRules(tokenizer, {
        ...limitsOf(task, values, model.config.maxPosition - prompt.ids.length),
        endTokenIds: model.config.eosTokenIds,
      }),
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
