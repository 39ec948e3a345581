import { checkContext, maxNewTokens } from "../../model/generation/check_context.ts";
import { type ThinkingRules, thinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { Question, Stream, Task } from "../task.ts";
import { withSplit } from "../tasks/refuse_empty.ts";
import { promptOf, type PromptOptions } from "./prompt_ids.ts";
import { takeQuestions } from "./take_questions.ts";

/** What is asked of a task. Limits that are left out are the task's own. */
export interface AskOptions {
  /** Where the questions come from. */
  stream: Stream;
  /** Of their order. */
  seed: number;
  /** How many; a stream that holds fewer gives all it has. */
  questions: number;
  /** L. */
  maxThinking?: number;
  /** Most answer tokens. */
  answerTokens?: number;
  /** How questions are put; in plain text where it is left out. */
  prompt?: PromptOptions;
}

/** Questions as they are put to a model. */
export interface PreparedQuestions {
  /** In the order of the split. */
  questions: Question[];
  /** Token ids, question by question. */
  prompts: number[][];
  /** When thinking and answers end. */
  rules: ThinkingRules;
}

/**
 * Takes questions and writes their prompts; no token is generated, so that what cannot be asked is known at once.
 * @throws UserError if the split holds no question, or one is too long for the model's context, naming it
 */
export async function prepareQuestions(
  model: Pick<Model, "ropeTable" | "config">,
  tokenizer: Tokenizer,
  task: Task,
  options: AskOptions,
): Promise<PreparedQuestions> {
  const { stream, seed } = options;
  withSplit(task, stream, (splits) => `choose with --split ${splits.join(" or ")}`);
  const questions = takeQuestions(task, stream, seed, options.questions);
  const prompts = await Promise.all(
    questions.map(async ({ question }) => (await promptOf(tokenizer, task, question, options.prompt)).ids),
  );
  const rules = thinkingRules(tokenizer, {
    maxThinking: options.maxThinking ?? task.limits.maxThinkingEval,
    maxAnswer: options.answerTokens ?? task.limits.answerTokens,
    endTokenIds: model.config.eosTokenIds,
  });
  const longest = prompts.reduce((best, { length }, i) => length > prompts[best].length ? i : best, 0);
  const longestOne = `the longest of ${task.name}, question ${longest + 1} (${questions[longest].id})`;
  checkContext(model, prompts[longest].length, maxNewTokens(rules), longestOne);
  return { questions, prompts, rules };
}
