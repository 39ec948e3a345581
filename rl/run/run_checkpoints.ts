import { BEST } from "../../model/files/best_checkpoint.ts";
import { linkTarget, namesIn } from "../../model/files/on_disk.ts";
import { writeWhole } from "../../model/files/write_whole.ts";

/** Folders of a run's checkpoints, oldest first. */
export const checkpointsOf = (folder: string): string[] =>
  checkpointNames(folder).map((name) => `${folder}/checkpoints/${name}`);

/** Names of a run's checkpoints, oldest first. */
function checkpointNames(folder: string): string[] {
  const names = namesIn(`${folder}/checkpoints`).filter((name) => /^step-\d{6,}$/.test(name));
  return names.sort((a, b) => stepOf(a) - stepOf(b));
}

/** Name of a step's checkpoint. */
export const nameOf = (step: number): string => `step-${String(step).padStart(6, "0")}`;

/** Step of a checkpoint's folder. */
export const stepOf = (path: string): number => Number(/step-(\d+)$/.exec(path)?.[1]);

/** Lets `best` stand for a checkpoint: a file that names it, since links need the right to read and write everything. */
export function pointBest(folder: string, name: string): void {
  const path = `${folder}/${BEST}`;
  // Runs of old have a link to the checkpoint's folder, which no file can take the place of.
  if (linkTarget(path) !== undefined) Deno.removeSync(path);
  writeWhole(path, `checkpoints/${name}\n`);
}

/** Removes the oldest checkpoints but `keep`, and never the best. */
export function pruneCheckpoints(folder: string, keep: number, best: number | undefined): void {
  for (const name of checkpointNames(folder).slice(0, -keep)) {
    if (stepOf(name) !== best) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
}
