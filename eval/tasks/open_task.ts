import { UserError } from "../../gpu/errors.ts";
import type { ChoiceTask } from "../choices/choice_task.ts";
import type { Task } from "../task.ts";
import { isTaskFile, loadOwnTask } from "./own_task.ts";
import { withSplit } from "./refuse_empty.ts";
import type { GenerationEntry, OpenTaskOptions, TaskEntry } from "./task_entry.ts";
import { TASKS } from "./tasks.ts";

/**
 * What is known of a task before its data are read.
 *
 * @param name one of {@linkcode TASKS}, or the path of a file that describes a task: see {@linkcode loadOwnTask}
 * @param data a path that own code in such a file may read
 * @throws UserError if there is none of that name, naming those there are, or if the file is wrong
 */
export async function taskEntry(name: string, data?: string): Promise<TaskEntry> {
  const entry = TASKS.find((task) => task.name === name);
  if (entry) return entry;
  if (isTaskFile(name)) return withoutNamesake(name, await loadOwnTask(name, data));
  const known = TASKS.map(({ name }) => name).join(", ");
  throw new UserError(
    `Cannot find the task ${JSON.stringify(name)}: one of ${known} is needed`,
    "or the path of a task of your own, a .toml or .ts file",
  );
}

/**
 * As {@linkcode taskEntry}, of a task that is answered in text.
 *
 * @throws UserError if it is answered by choosing
 */
export async function generationEntry(name: string, data?: string): Promise<GenerationEntry> {
  const entry = await taskEntry(name, data);
  if (entry.kind === "generation") return entry;
  throw new UserError(
    `Cannot use the task ${name} here: it is answered by choosing, one that is answered in text is needed`,
    `softcot eval ${name} measures it`,
  );
}

/**
 * Opens a task that is answered in text: reads its data.
 *
 * @param name as on the command line
 * @param options where its data are, and what is held out of them
 * @throws UserError if there is no such task, its data are missing or damaged, or have no question of the split that
 * is asked for
 */
export async function openTask(name: string, options: OpenTaskOptions = {}): Promise<Task> {
  const task = await (await generationEntry(name, options.data)).open(options);
  return withSplit(
    task,
    options.split,
    () => `softcot eval ${name} measures it; another task, or --data, may have them`,
  );
}

/** As {@linkcode openTask}, of a task of either kind. */
export async function openAnyTask(name: string, options: OpenTaskOptions = {}): Promise<Task | ChoiceTask> {
  const task = await (await taskEntry(name, options.data)).open(options);
  return withSplit(task, options.split, (splits) => `choose with --split ${splits.join(" or ")}`);
}

function withoutNamesake(path: string, task: GenerationEntry): GenerationEntry {
  if (!TASKS.some(({ name }) => name === task.name)) return task;
  throw new UserError(
    `Cannot use the task ${path}: it is called ${task.name} as one of softcot's own, another name is needed`,
    "results of the two could not be told apart; set its name",
  );
}
