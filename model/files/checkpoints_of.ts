import { lookInto } from "./look_into.ts";
import { isFolder } from "./on_disk.ts";

/** Folders of a run's checkpoints, the newest first; none where the folder is no run's. */
export function checkpointsOf(folder: string): string[] {
  if (!isFolder(`${folder}/checkpoints`)) return [];
  return lookInto(`${folder}/checkpoints`).filter((entry) => /^step-\d+$/.test(entry))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
    .map((entry) => `${folder}/checkpoints/${entry}`);
}
