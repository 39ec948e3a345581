import { UserError } from "../../gpu/errors.ts";
import type { Task } from "../task.ts";
import { sums, sumsLong } from "./sums.ts";

/** Every task that can be named on the command line. */
export const TASKS: readonly Task[] = [sums, sumsLong];

/**
 * The task of a name.
 *
 * @throws UserError if there is none, naming those there are
 */
export function findTask(name: string): Task {
  const task = TASKS.find((task) => task.name === name);
  if (task) return task;
  const known = TASKS.map(({ name }) => name).join(", ");
  throw new UserError(`Cannot find the task ${JSON.stringify(name)}: one of ${known} is needed`);
}
