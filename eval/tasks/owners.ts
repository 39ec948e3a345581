/**
 * Problems of two owners, in the words of `sums`. The embedded model was made from demonstrations of both, and reinforcement asks for
 * `sums` alone: how probable the model finds right solutions here tells what reinforcement does to what it is not about (the paper's
 * claim of out-of-domain likelihood, section 4, in small).
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import type { ChoiceQuestion, ChoiceTask } from "../choices/choice_task.ts";
import { hashDigits } from "../hash_text.ts";
import { seededUniform } from "../seeded_uniform.ts";
import type { Stream } from "../task.ts";
import { drawOwners, type OwnersProblem, ownersText } from "./owners_problem.ts";
import { boxed, slippedTotals, writtenSteps } from "./sums_demonstration.ts";
import { type Problem, SUMS, sumsPrompt } from "./sums_problem.ts";
import type { ChoiceEntry } from "./task_entry.ts";

const NAME = "owners";
const VERSION = 1;
/** Questions of each stream that has any. */
const QUESTIONS = 1024;

const task: ChoiceTask = {
  kind: "choice",
  name: NAME,
  version: VERSION,
  mostShots: 0,
  size: (stream) => stream === "train" ? 0 : QUESTIONS,
  question: (stream, index) => asChoices(drawOwners(stream, 0, index, 0), stream, index),
};

/** The entry of the task: the right solution, the other owner's, and each with a slip. */
export const owners: ChoiceEntry = {
  kind: "choice",
  name: NAME,
  version: VERSION,
  about: "Sums of two owners, which the embedded model was shown and is never trained on by reinforcement",
  open: ({ data }) => {
    if (data === undefined) return Promise.resolve(task);
    return Promise.reject(
      new UserError(
        `Cannot read data for the task ${NAME}: its questions are made up`,
        "leave --data out, or name another task",
      ),
    );
  },
};

function asChoices(owners: OwnersProblem, stream: Stream, index: number): ChoiceQuestion {
  const uniform = seededUniform(index, stream === "test" ? 1 : 0);
  const { problems, asked } = owners;
  const [right, other] = [problems[asked], problems[1 - asked]];
  const slip = (problem: Problem) => {
    const totals = slippedTotals(problem, { at: uniform(), by: uniform() }, SUMS.maxResult);
    return solution(problem, totals);
  };
  const wrong = [solution(other, other.totals), slip(right), slip(other)];
  const answer = solution(right, right.totals);
  const choices = [...new Set(wrong)].filter((choice) => choice !== answer);
  const place = Math.floor(uniform() * (choices.length + 1));
  const question = ownersText(owners);
  return {
    id: `${NAME}-${hashDigits(question)}`,
    question,
    context: sumsPrompt(question),
    choices: choices.toSpliced(place, 0, answer),
    right: place,
  };
}

/** All that a demonstration writes, without its first blank, which parts it from the context. */
const solution = (problem: Problem, totals: readonly number[]): string =>
  `${writtenSteps(problem, totals, "steps")}${boxed(totals)}`.slice(1);
