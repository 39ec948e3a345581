import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { taskFiles } from "../../eval/tasks/toml_task.ts";
import { rewardFiles } from "../../rl/reward.ts";
import { present, quietly, text, type Told } from "./told.ts";

/** The arguments, else the task of the config file: as eval takes them. */
export const tasksNamed = ({ args, config }: Told): string[] =>
  args.length > 0 ? [...args] : present(text(config.task));

/** Of a task that is a file: of TypeScript that, of TOML the data that it names, too. */
export function taskPlaces(task: string): string[] {
  if (!isTaskFile(task)) return [];
  return task.endsWith(".toml") ? [task, ...quietly(() => taskFiles(task)) ?? []] : [task];
}

/** Of rewards that are files. */
export const rewardPlaces = (reward: unknown): string[] => rewardFiles((reward ?? []) as string[]);
