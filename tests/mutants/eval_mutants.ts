import { type Mutant, mutant } from "./mutant.ts";

/** Faults of evaluation. */
export const EVAL_MUTANTS: readonly Mutant[] = [
  mutant(
    "eval/measures/pass_at_k.ts",
    "pass@k draws with replacement",
    "Math.log1p(-other / (n - i))",
    "Math.log1p(-other / n)",
    ["eval/measures"],
  ),
  mutant(
    "eval/measures/pass_at_k.ts",
    "errors of paired changes are those of a population",
    "Math.sqrt(squares / (count - 1) / count)",
    "Math.sqrt(squares / count / count)",
    ["eval/measures"],
  ),
  mutant(
    "eval/measures/pass_at_k.ts",
    "the error of an accuracy of 1 is 0",
    "right === 0 || right === questions ?",
    "right === 0 ?",
    ["eval/measures"],
  ),
  mutant(
    "eval/measures/entropy_profile.ts",
    "steps past the end count",
    "for (let position = 0; position < steps; position++)",
    "for (let position = 0; position < entropies.length; position++)",
    ["eval/measures"],
  ),
  mutant(
    "eval/roll_out_mode.ts",
    "samples of neighbouring questions share draws",
    "question * MOST_SAMPLES + sample",
    "question + sample",
    ["eval/evaluate_test.ts"],
  ),
  mutant("eval/roll_out_mode.ts", "the answer is sampled", "answerTau: 0,", "answerTau: 1,", [
    "eval/evaluate_test.ts",
    "cli/eval/eval_test.ts",
  ]),
  mutant(
    "eval/roll_out_mode.ts",
    "what was kept is generated again",
    "filter((sample) => !run.tally.has(question, sample))",
    "filter((sample) => !run.tally.has(question, sample) || sample >= 0)",
    ["eval", "cli/eval/eval_resume_test.ts"],
  ),
  mutant(
    "eval/questions/take_questions.ts",
    "equal questions are asked twice",
    "if (repeats === 0) taken.set(question.id, question);",
    "taken.set(repeats === 0 ? question.id : `${question.id} ${index}`, question);",
    ["eval/questions"],
  ),
  mutant(
    "eval/data/training_order.ts",
    "every pass has the same order",
    "seededUniform(seed, pass, SHUFFLE)",
    "seededUniform(seed, 0, SHUFFLE)",
    ["eval/data", "eval/tasks"],
  ),
  mutant(
    "eval/task.ts",
    "an answer in an open box counts",
    "if (answer === null) return gradeOf(null, null);",
    'if (answer === null) return gradeOf("", verify(gold, continuation));',
    ["eval/tasks"],
  ),
  mutant(
    "eval/choices/score_groups.ts",
    "a choice's first token is predicted by its own row",
    "t === 0 ? first + context.length - 1 : starts[c] + t - 1",
    "t === 0 ? first + context.length - 1 : starts[c] + t",
    ["eval/choices"],
  ),
  mutant(
    "eval/grader.ts",
    "verdicts go to other answers",
    "return answers.map((answer) =>",
    "return answers.toReversed().map((answer) =>",
    ["eval/tasks/tasks_test.ts"],
  ),
];
