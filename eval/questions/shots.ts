import { UserError } from "../../gpu/errors.ts";
import type { Question, Stream, Task } from "../task.ts";
import { takeQuestions } from "./take_questions.ts";

/**
 * Solved examples for a prompt: training questions of the task, chosen by the seed.
 *
 * @param split where the questions that are asked come from
 * @throws UserError if the task has not so many, or they would be among the questions
 */
export function shotsOf(task: Task, count: number, seed: number, split: Stream): Question[] {
  if (count === 0) return [];
  const cannot = `Cannot put ${count} examples before each question of ${task.name}`;
  if (split === "train") {
    throw new UserError(`${cannot}: examples are training questions, and so are the ones that are asked`);
  }
  const found = takeQuestions(task, "train", seed, count);
  if (found.length === count) return found;
  throw new UserError(
    `${cannot}: its data hold ${found.length || "no"} training questions`,
    "fewer --shots, or a folder as --data that holds a train split",
  );
}
