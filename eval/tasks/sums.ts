/**
 * The embedded task: word problems about sums, generated without end from a seed, in the words of the
 * embedded tokenizer. A model that writes its steps solves them; one that blurts the answer often does not.
 *
 * @module
 */
import { hashDigits } from "../hash_text.ts";
import { gradeBox, type Question, type Task, type TaskLimits } from "../task.ts";
import { demonstration } from "./sums_demonstration.ts";
import {
  arithmetic,
  checkSumsOptions,
  drawProblem,
  type Problem,
  questionText,
  SUMS,
  SUMS_LONG,
  type SumsOptions,
  sumsPrompt,
} from "./sums_problem.ts";

/** `sums`, or `sums-long` where so named. */
export const sums: Task = sumsTask("sums", SUMS, { maxThinking: 52, maxThinkingEval: 52, answerTokens: 5 });
/** The harder variant. */
export const sumsLong: Task = sumsTask("sums-long", SUMS_LONG, {
  maxThinking: 72,
  maxThinkingEval: 72,
  answerTokens: 5,
});

/** A task of problems of the given difficulty. */
export function sumsTask(name: string, options: SumsOptions, limits: TaskLimits): Task {
  checkSumsOptions(options);
  return {
    kind: "generation",
    name,
    version: 1,
    prompt: sumsPrompt,
    limits,
    grade: (gold, continuation) => gradeBox(gold, continuation),
    question: (stream, seed, index) => asQuestion(drawProblem(options, stream, seed, index, 0)),
    demonstration: (seed, index) => demonstration(seed, index, {}, options),
    size: () => null,
  };
}

function asQuestion(problem: Problem): Question {
  const question = questionText(problem);
  return {
    id: `sums-${hashDigits(question)}-${hashDigits(arithmetic(problem))}`,
    question,
    gold: `${problem.totals.at(-1)}`,
  };
}
