import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { readConfigFile } from "../settings/config_file.ts";
import { runFolderOf } from "./saved_values.ts";

/**
 * The settings of the run that a model comes from, as its config.toml has them: data alone. What they name as own code, a task of
 * a file or rewards, is left out, for whoever wrote the folder wrote that too: own code is run when the command line asks for it.
 *
 * @param model as given to --model: a run's folder, its best checkpoint, or any of its checkpoints
 * @returns by dashed name; empty if the model is no run's
 */
export function runValues(model: string): Record<string, unknown> {
  const run = runFolderOf(model);
  if (run === undefined) return {};
  const { task, reward: _, ...values } = readConfigFile(`${run}/config.toml`).values;
  return TASKS.some(({ name }) => name === task) ? { task, ...values } : values;
}

/** The task of a run that is a file of its owner's; undefined where it is none. */
export function ownTaskOf(model: string): string | undefined {
  const run = runFolderOf(model);
  const task = run === undefined ? undefined : readConfigFile(`${run}/config.toml`).values.task;
  return typeof task === "string" && isTaskFile(task) ? task : undefined;
}
