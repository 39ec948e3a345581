import { isTaken } from "../../model/files/on_disk.ts";
import { checkpointsOf, stepOf } from "../../rl/run/run_checkpoints.ts";
import type { TrainValues } from "./train_settings.ts";

/** The newest checkpoint of a run, if one was saved. */
export const newestIn = (folder: string): string | undefined =>
  isTaken(`${folder}/checkpoints`) ? checkpointsOf(folder).at(-1) : undefined;

/** What of a run is saved, as words of a message. */
export function keptOf(folder: string, { saveEvery }: Pick<TrainValues, "saveEvery">): string {
  const checkpoint = newestIn(folder);
  return checkpoint === undefined
    ? `no checkpoint was saved yet (--save-every ${saveEvery})`
    : `step ${stepOf(checkpoint)} is saved in ${checkpoint}`;
}
