import { generationEntry } from "../../eval/tasks/open_task.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import type { TrainValues } from "./train_settings.ts";

/**
 * The folder of a run: the one that is named, else the first free one that is called after task and thinking.
 * @throws UserError if there is no such task
 */
export async function runFolder({ out, task, thinking }: TrainValues): Promise<string> {
  const { name } = await generationEntry(task);
  return out ?? freeFolder(`runs/${name}-${thinking}`);
}

/** The name itself, or with the first number that is free. */
function freeFolder(name: string): string {
  for (let n = 1;; n++) {
    const folder = n === 1 ? name : `${name}-${n}`;
    if (!isTaken(folder)) return folder;
  }
}
