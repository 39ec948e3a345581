import { UserError } from "../../gpu/errors.ts";
import { checkContext, maxNewTokens } from "../../model/generation/check_context.ts";
import { type ThinkingRules, thinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { contextOf, type Model } from "../../model/transformer/transformer.ts";
import type { Question, Stream, Task } from "../task.ts";
import { withSplit } from "../tasks/refuse_empty.ts";
import { LongPromptError, type LongPrompts, type PromptRoom } from "./long_prompts.ts";
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
  /** What becomes of prompts that leave no room in the model's context; refused where it is left out. */
  longPrompts?: LongPrompts;
}

/** Questions as they are put to a model. */
export interface PreparedQuestions {
  /** In the order of the split. */
  questions: Question[];
  /** Token ids, question by question. */
  prompts: number[][];
  /** When thinking and answers end. */
  rules: ThinkingRules;
  /** Questions that were left out or cut, since their prompts are too long. */
  long: number;
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
  const rules = thinkingRules(tokenizer, {
    maxThinking: options.maxThinking ?? task.limits.maxThinkingEval,
    maxAnswer: options.answerTokens ?? task.limits.answerTokens,
    endTokenIds: model.config.eosTokenIds,
  });
  const room: PromptRoom = {
    most: contextOf(model) - maxNewTokens(rules),
    long: options.longPrompts ?? "refuse",
  };
  const taken = takeQuestions(task, stream, seed, options.questions);
  const written = await Promise.all(
    taken.map((question) => promptWithin(tokenizer, task, question, options.prompt, room)),
  );
  const { questions, prompts } = askedOf(task, taken, written);
  const long = room.long === "truncate"
    ? written.filter((ids) => ids?.length === room.most).length
    : taken.length - questions.length;
  const longest = prompts.reduce((best, { length }, i) => length > prompts[best].length ? i : best, 0);
  const longestOne = `the longest of ${task.name}, question ${longest + 1} (${questions[longest].id})`;
  checkContext(model, prompts[longest].length, maxNewTokens(rules), longestOne);
  return { questions, prompts, rules, long };
}

/** The ids of a question's prompt; undefined where they are too long and to be skipped. */
async function promptWithin(
  tokenizer: Tokenizer,
  task: Task,
  { question, id }: Question,
  prompt: PromptOptions | undefined,
  room: PromptRoom,
): Promise<number[] | undefined> {
  try {
    return (await promptOf(tokenizer, task, question, { ...prompt, room })).ids;
  } catch (error) {
    if (!(error instanceof LongPromptError)) throw error;
    if (room.long === "skip") return undefined;
    throw new UserError(`${error.message} (${id} of ${task.name})`, error.hint);
  }
}

function askedOf(task: Task, taken: readonly Question[], written: readonly (number[] | undefined)[]) {
  const questions = taken.filter((_, i) => written[i] !== undefined);
  const prompts = written.filter((ids) => ids !== undefined);
  if (questions.length > 0) return { questions, prompts };
  throw new UserError(
    `Cannot ask ${task.name}: the prompts of all ${taken.length} questions are longer than the model's context leaves room for`,
    "allow less: --max-thinking, --answer-tokens; or --long-prompts truncate cuts their middle",
  );
}
