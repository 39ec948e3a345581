import { UserError } from "../../gpu/errors.ts";
import { BEST, bestCheckpoint } from "./best_checkpoint.ts";
import { isFile, isTaken } from "./on_disk.ts";

/**
 * A run whose best checkpoint, or else its newest, is not there stands for no other one in silence.
 *
 * @param checkpoints folders of its checkpoints, the newest first; without any it is no run
 * @throws UserError
 */
export function refuseDamagedRun(folder: string, name: string, checkpoints: readonly string[]): void {
  if (checkpoints.length === 0) return;
  const [newest, ...older] = checkpoints;
  const isModel = (place: string) =>
    ["config.json", "adapter_config.json"].some((file) => isFile(`${place}/${file}`));
  if (isTaken(`${folder}/${BEST}`)) {
    const best = bestCheckpoint(folder);
    if (best !== undefined && isModel(best)) return;
    throw new UserError(
      `Cannot open the model of ${name}: its file ${BEST} names no whole checkpoint of it, one is needed`,
      `name a checkpoint itself, such as ${newest}; softcot train --resume writes ${BEST} anew`,
    );
  }
  if (isModel(newest)) return;
  throw new UserError(
    `Cannot open the model of ${name}: its newest checkpoint ${newest} holds no config.json, a whole one is needed`,
    older.length > 0 ? `name an older one itself: ${older[0]}` : "put a whole copy in its place",
  );
}
