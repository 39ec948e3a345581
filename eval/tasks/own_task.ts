import type { GenerationEntry } from "./task_entry.ts";
import { loadScriptTask } from "./script_task.ts";
import { loadTomlTask } from "./toml_task.ts";

/** Whether a task's name is the path of a file. */
export function isTaskFile(name: string): boolean {
  return /\.(toml|[cm]?[jt]s)$/.test(name);
}

/**
 * The task that a file describes.
 *
 * @param path of a .toml or a .ts (or .js, .mts, .mjs) file
 * @param data a path that its code may read
 * @throws UserError if there is no such file or something in it is wrong
 */
export async function loadOwnTask(path: string, data?: string): Promise<GenerationEntry> {
  return path.endsWith(".toml") ? loadTomlTask(path) : await loadScriptTask(path, data);
}
