import { LongPromptError, type PromptRoom } from "../../eval/questions/long_prompts.ts";
import { promptOf, promptOptions } from "../../eval/questions/prompt_ids.ts";
import type { Question, Task } from "../../eval/task.ts";
import { trainingOrder } from "../../eval/data/training_order.ts";
import { UserError } from "../../gpu/errors.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { maxNewTokens } from "../../model/generation/check_context.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import type { TrainValues } from "./train_settings.ts";

/** Tokens that a prompt of a training may have in a context. */
export function roomIn(
  context: number,
  rules: Parameters<typeof maxNewTokens>[0],
  { longPrompts }: TrainValues,
): PromptRoom {
  return { most: context - maxNewTokens(rules), long: longPrompts };
}

/**
 * The task without training questions whose prompts are too long for a model, where these are to be skipped; all of them are written for it.
 * @param name of the model or checkpoint
 * @returns the task, and how many are too long; none where they are refused, or the task has no end
 * @throws UserError if no question is left
 */
export async function fittingTask(
  task: Task,
  name: string,
  values: TrainValues,
): Promise<{ task: Task; long: number }> {
  const size = task.size("train");
  if (values.longPrompts === "refuse" || size === null) return { task, long: 0 };
  using files = openModelFiles(name);
  const { config, tokenizer } = files;
  const { maxThinking, answerTokens: maxAnswer, seed } = values;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: [] });
  const room = { ...roomIn(config.maxPosition, rules, values), long: "skip" } as const;
  const prompt = { ...promptOptions(tokenizer, values), room };
  const fits = async ({ question }: Question) => {
    try {
      await promptOf(tokenizer, task, question, prompt);
      return true;
    } catch (error) {
      if (error instanceof LongPromptError) return false;
      throw error;
    }
  };
  const questions = Array.from({ length: size }, (_, i) => task.question("train", seed, i));
  const isFitting = await Promise.all(questions.map(fits));
  const kept = questions.filter((_, i) => isFitting[i]);
  const long = size - kept.length;
  if (values.longPrompts === "truncate" || long === 0) return { task, long };
  if (kept.length > 0) return { task: withTraining(task, kept), long };
  throw new UserError(
    `Cannot train on ${task.name}: the prompts of all ${size} questions are longer than the model's context leaves room for`,
    "allow less: --max-thinking, --answer-tokens; or --long-prompts truncate cuts their middle",
  );
}

/** The task with these training questions alone, each pass in an order of its own. */
function withTraining(task: Task, questions: readonly Question[]): Task {
  const place = trainingOrder(questions.length);
  return {
    ...task,
    size: (stream) => stream === "train" ? questions.length : task.size(stream),
    question: (stream, seed, index) =>
      stream === "train" ? questions[place(seed, index)] : task.question(stream, seed, index),
  };
}
