import { isTaken } from "../../model/files/on_disk.ts";

/** The newest checkpoint of a run's folder, if there is one. */
export function newestCheckpoint(folder: string): string | undefined {
  const newest = checkpointNames(folder).at(-1);
  return newest && `${folder}/checkpoints/${newest}`;
}

/** Names of a run's checkpoints, oldest first. */
function checkpointNames(folder: string): string[] {
  return [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name)
    .filter((name) => /^step-\d{6,}$/.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
}

/** Name of a step's checkpoint. */
export const nameOf = (step: number): string => `step-${String(step).padStart(6, "0")}`;

/** Step of a checkpoint's folder. */
export const stepOf = (path: string): number => Number(/step-(\d+)$/.exec(path)?.[1]);

/** Lets `best` stand for a checkpoint. */
export function pointBest(folder: string, name: string): void {
  const beside = `${folder}/best.tmp`;
  if (isTaken(beside)) Deno.removeSync(beside);
  Deno.symlinkSync(`checkpoints/${name}`, beside);
  Deno.renameSync(beside, `${folder}/best`);
}

/** Removes the oldest checkpoints but `keep`, and never the best. */
export function pruneCheckpoints(folder: string, keep: number, best: number | undefined): void {
  for (const name of checkpointNames(folder).slice(0, -keep)) {
    if (stepOf(name) !== best) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
}
