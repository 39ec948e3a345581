import { dirname } from "node:path";
import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { taskFiles } from "../../eval/tasks/toml_task.ts";
import { rewardFiles } from "../../rl/reward.ts";
import { present, quietly, text, type Told } from "./told.ts";

/** Whether a command line names own code: a task or a reward in TypeScript. */
export function hasOwnCode(told: Told): boolean {
  const { task, reward } = told.values;
  const tasks = [...tasksNamed(told), ...present(text(task))];
  return tasks.some((name) => isTaskFile(name) && !name.endsWith(".toml")) || filesOf(reward).length > 0;
}

/** The arguments, else the task of the config file: as eval takes them. */
export const tasksNamed = ({ args, config }: Told): string[] =>
  args.length > 0 ? [...args] : present(text(config.task));

/** Of a task that is a file: of TypeScript with what lies beside it, which it may import; of TOML with the data that it names. */
export function taskPlaces(task: string): string[] {
  if (!isTaskFile(task)) return [];
  return task.endsWith(".toml") ? [task, ...quietly(() => taskFiles(task)) ?? []] : codePlaces(task);
}

/** Of rewards that are files, with what lies beside them. */
export const rewardPlaces = (reward: unknown): string[] => filesOf(reward).flatMap(codePlaces);

const filesOf = (reward: unknown) => rewardFiles((reward ?? []) as string[]);

/** A module is loaded by its real path. */
function codePlaces(path: string): string[] {
  const real = quietly(() => dirname(Deno.realPathSync(path)));
  return [dirname(path), ...real === undefined ? [] : [real]];
}
