import { UserError } from "../../gpu/errors.ts";
import type { ChoiceTask } from "../choices/choice_task.ts";
import type { Stream, Task } from "../task.ts";

/** What was read of a split: enough to say why it holds no question. */
interface Read {
  rows: number;
  dropped: Readonly<Record<string, number>>;
}

/**
 * Refuses data without a single question.
 *
 * @param name of the task
 * @param origin where they were read from
 * @param read by split
 * @param questions that were read, of all splits
 */
export function refuseEmpty(
  name: string,
  origin: string,
  read: Readonly<Record<string, Read>>,
  questions: number,
): void {
  if (questions > 0) return;
  const splits = Object.values(read);
  const rows = splits.reduce((sum, split) => sum + split.rows, 0);
  const reasons = splits.flatMap(({ dropped }) =>
    Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`)
  );
  const found = rows === 0 ? "they hold no row" : `all ${rows} rows are left out (${reasons.join(", ")})`;
  throw new UserError(
    `Cannot use the data of ${name} from ${origin}: ${found}, at least one question is needed`,
    "name other data, or check how their fields are read",
  );
}

/** The splits of a task that hold questions, the first being what people look at first. */
export function splitsOf(task: Task | ChoiceTask): Stream[] {
  return (["test", "train", "validation"] as const).filter((stream) => task.size(stream) !== 0);
}

/**
 * Refuses a split that a task does not have.
 *
 * @param hint what to do about it; told the splits that there are
 * @returns the task
 * @throws UserError naming the splits that it has
 */
export function withSplit<T extends Task | ChoiceTask>(
  task: T,
  split: string | undefined,
  hint: (splits: readonly Stream[]) => string,
): T {
  if (split === undefined || task.size(split as Stream) !== 0) return task;
  const splits = splitsOf(task);
  const there = splits.map((each) => `${each} (${task.size(each)?.toLocaleString("en") ?? "no end"})`);
  throw new UserError(
    `Cannot take ${split} questions of ${task.name}: there are none, it has ${there.join(", ")}`,
    hint(splits),
  );
}
