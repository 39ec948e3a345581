import type { Task } from "../../eval/task.ts";
import { generationEntry } from "../../eval/tasks/open_task.ts";
import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { UserError } from "../../gpu/errors.ts";

/**
 * Opens a task that writes demonstrations; finds out before any data are asked for whether it does.
 * @throws UserError if it does not
 */
export async function demonstratingTask(name: string): Promise<Task> {
  if (isTaskFile(name)) {
    throw new UserError(
      `Cannot train on demonstrations of ${name}: a task of your own has none`,
      "demonstrations of your own are rows of a file: softcot sft --data FILE",
    );
  }
  const { demonstrates, open } = await generationEntry(name);
  if (demonstrates) return await open({});
  const able = TASKS.filter((task) => task.kind === "generation" && task.demonstrates).map(({ name }) =>
    name
  );
  throw new UserError(
    `Cannot train on demonstrations of ${name}: it has none, one of ${able.join(", ")} is needed`,
    `softcot train --task ${name} trains by reinforcement, which needs none`,
  );
}
