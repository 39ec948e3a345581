/**
 * The embedded task: word problems about sums, generated without end from a seed, in the words of the
 * embedded tokenizer. A model that writes its steps solves them; one that blurts the answer often does not.
 *
 * @module
 */
import { hashDigits } from "../hash_text.ts";
import { gradeBox, type Question, type Task, type TaskLimits } from "../task.ts";
import {
  demonstration,
  type DemonstrationOptions,
  DEMONSTRATIONS,
  SLIPS_DEMONSTRATIONS,
} from "./sums_demonstration.ts";
import {
  arithmetic,
  checkSumsOptions,
  drawProblem,
  type Problem,
  questionText,
  SUMS,
  SUMS_SLIPS,
  type SumsOptions,
  sumsPrompt,
} from "./sums_problem.ts";

/** The problems that the embedded model was made for. */
export const sums: Task = sumsTask("sums", SUMS, DEMONSTRATIONS, {
  maxThinking: 52,
  maxThinkingEval: 52,
  answerTokens: 5,
});
/** Harder ones, whose demonstrations hold slips. */
export const sumsSlips: Task = sumsTask("sums-slips", SUMS_SLIPS, SLIPS_DEMONSTRATIONS, {
  maxThinking: 72,
  maxThinkingEval: 72,
  answerTokens: 5,
});

/** A task of problems of the given difficulty. */
export function sumsTask(
  name: string,
  options: SumsOptions,
  demonstrations: DemonstrationOptions,
  limits: TaskLimits,
): Task {
  checkSumsOptions(options);
  return {
    kind: "generation",
    name,
    version: 1,
    prompt: sumsPrompt,
    limits,
    grade: (gold, continuation) => gradeBox(gold, continuation),
    question: (stream, seed, index) => asQuestion(drawProblem(options, stream, seed, index, 0)),
    demonstration: (seed, index) => demonstration(seed, index, demonstrations, options),
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
