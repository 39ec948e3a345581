import { TRIGGER } from "../model/generation/thinking_text.ts";
import { boxedContinuation } from "./answer/box.ts";
import type { Precision } from "./answer/compare/tolerance.ts";
import { type Verdict, verify, type VerifyOptions } from "./answer/verify.ts";
import { hashText } from "./hash_text.ts";

/** Questions to train on, to choose the best checkpoint by, and to report: no question is in two of them. */
export type Stream = "train" | "validation" | "test";

/** One question with its right answer. */
export interface Question {
  /** Equal for equal questions: results of different runs are paired by it. */
  id: string;
  /** Its text, without the prompt around it. */
  question: string;
  /** The right answer. */
  gold: string;
  /** How exact the answer must be, where the data say so; exactly right where this is left out. */
  precision?: Precision;
  /** How it can be solved, in words: for examples in a prompt. */
  solution?: string;
  /** What it is about, where the data say so. */
  subject?: string;
  /** How hard it is, where the data say so. */
  level?: number;
}

/** Where a task's questions come from, and what was left out of them: kept with results. */
export interface TaskData {
  /** A path, or the name on the hub with the commit. */
  origin: string;
  /** Rows of each split in the files, before any was left out. */
  rows: Record<string, number>;
  /** Rows that were left out, by split and reason. */
  dropped: Record<string, Record<string, number>>;
}

/** What a task is: data and pure functions; those of own code give promises. Its version changes whenever a question, prompt or grade does. */
export interface Task {
  /** It is answered in text; a choice task (`ChoiceTask`) is not. */
  kind: "generation";
  /** As on the command line. */
  name: string;
  /** Kept with every result. */
  version: number;
  /** The text given to the model for a question, ending before the first generated token. */
  prompt(question: string): string | Promise<string>;
  /** What a message of a conversation asks; the question and the method's instruction where it is left out. */
  chatPrompt?(question: string): string | Promise<string>;
  /** Defaults of this task. */
  limits: TaskLimits;
  /** Grades the text that followed the forced `\boxed{`; `precision` is the question's. */
  grade(gold: string, continuation: string, precision?: Precision): Grade | Promise<Grade>;
  /** How `grade` asks the answer checker, for those who ask it in workers; absent where it does not ask it at all. */
  checking?: Checking;
  /** The question at `index` of a stream; always the same for the same arguments. */
  question(stream: Stream, seed: number, index: number): Question;
  /** A text to imitate in supervised training, from the train stream; for tasks that can write them. */
  demonstration?(seed: number, index: number): { prompt: string; completion: string };
  /** Questions in a stream; null if it never ends, 0 if the task has no such stream. */
  size(stream: Stream): number | null;
  /** Ids of the training questions that make up the validation stream, in its order; absent where it has data of its own. */
  heldOut?: readonly string[];
  /** Where the questions were read from; absent where they are made up. */
  data?: TaskData;
}

/** Token limits of a task; flags and recipes may replace them. */
export interface TaskLimits {
  /** L, most thinking steps in training. */
  maxThinking: number;
  /** L in evaluation. */
  maxThinkingEval: number;
  /** Most answer tokens. */
  answerTokens: number;
}

/** The verdict on one answer, and its reward (method, section 4). */
export interface Grade {
  /** 100: right. 10: an answer was extracted, but it is wrong. 0: nothing was extracted. A task of one's own may give others. */
  reward: number;
  /** Equivalent to the gold answer. */
  correct: boolean;
  /** The boxed answer; null if no brace closes the box or it is empty. */
  answer: string | null;
  /** The checker's rule that decided; null if there was nothing to check. */
  rule: string | null;
}

// Seconds: counted budgets decide long before; a training step must not wait for what they let through.
const GRADING_TIME = 0.2;

/** How a task asks the answer checker. */
export interface Checking {
  /** The right answers that a gold stands for, any of which will do; itself where this is left out. */
  golds?(gold: string): string | string[];
  /** Such as whether percentages are numbers. */
  options?: VerifyOptions;
}

/**
 * Grades the forced box by the answer checker.
 *
 * @param gold the right answer
 * @param continuation what the model wrote after the forced `\boxed{`
 * @param checking how the task asks
 * @param precision of this question
 */
export function gradeBox(
  gold: string,
  continuation: string,
  { golds, options }: Checking = {},
  precision?: Precision,
): Grade {
  const answer = boxedContinuation(continuation);
  if (answer === null) return gradeOf(null, null);
  const how = { timeLimit: GRADING_TIME, ...options, ...(precision === undefined ? {} : { precision }) };
  return gradeOf(answer, verify(golds?.(gold) ?? gold, answer, how));
}

/** The grade of a boxed answer by the checker's verdict; null where nothing could be extracted. */
export function gradeOf(answer: string | null, verdict: Verdict | null): Grade {
  if (answer === null || verdict === null) return { reward: 0, correct: false, answer: null, rule: null };
  const { equal, rule } = verdict;
  return { reward: equal ? 100 : 10, correct: equal, answer, rule };
}

/** The paper's prompt, the same for every model, without a chat template (method, section 4). */
export function paperPrompt(question: string): string {
  return "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. " +
    "The assistant first shows the complete reasoning process step by step, then provides the final answer in " +
    "\\boxed{}. The assistant must always follow the format: 'User: [question] Assistant: [detailed reasoning] " +
    `${TRIGGER} \\boxed{[answer]}.' User: ${question} Assistant:`;
}

/**
 * The stream that a question belongs to, decided by its own text, so that no other choice (seed, order,
 * difficulty) can ever put it into a second one.
 *
 * @param key what makes the question the question it is
 */
export function streamOf(key: string): Stream {
  const position = hashText(key) / 2 ** 32;
  if (position < SHARES.test) return "test";
  return position < SHARES.test + SHARES.validation ? "validation" : "train";
}

/** Parts of all questions that are kept for validation and test. */
const SHARES = { validation: 1 / 16, test: 1 / 16 };
