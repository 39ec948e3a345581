import { UserError } from "../../gpu/errors.ts";
import type { Question, Stream, Task } from "../task.ts";

/**
 * Different questions of a stream, in its order: what validation and test tables are made from.
 *
 * @param task their source
 * @param stream where from
 * @param seed of the stream
 * @param count how many; a stream that holds fewer gives all it has
 * @throws UserError if an endless stream repeats itself so often that `count` different ones are out of reach
 */
export function takeQuestions(task: Task, stream: Stream, seed: number, count: number): Question[] {
  const size = task.size(stream) ?? Infinity;
  const taken = new Map<string, Question>();
  let repeats = 0;
  for (let index = 0; taken.size < count && index < size; index++) {
    const question = task.question(stream, seed, index);
    repeats = taken.has(question.id) ? repeats + 1 : 0;
    if (repeats > MOST_REPEATS) {
      throw new UserError(
        `Cannot take ${count} different questions of ${task.name}: after ${taken.size} of them ${repeats} repeats ` +
          "came in a row, fewer questions or a wider difficulty are needed",
      );
    }
    if (repeats === 0) taken.set(question.id, question);
  }
  return [...taken.values()];
}

const MOST_REPEATS = 1000;
