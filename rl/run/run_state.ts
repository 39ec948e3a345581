import { UserError } from "../../gpu/errors.ts";
import { stepOf } from "./run_checkpoints.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { parseJson } from "../../model/files/parse_json.ts";

/** What a checkpoint keeps beside weights and moments. */
export interface RunState {
  /** Updates done. */
  step: number;
  /** The best validation so far; null before the first. */
  best: { step: number; accuracy: number } | null;
  /** RMS(E) of the base model: the unit of the noise never drifts. */
  embeddingRms: number;
  /** Ids of the forced strings, tokenised once. */
  forcedIds: Record<string, readonly number[]>;
  /** The kernels whose bits a resumed run must repeat. */
  kernels: { adapter: string; matmulFamily: string; subgroupSize: number };
}

/** What to do about a checkpoint that cannot be used. */
export const OLDER = "remove this checkpoint's folder to resume from an older one";

/**
 * The state of a checkpoint.
 * @throws UserError if it cannot be read or is not that of this checkpoint
 */
export function readState(folder: string): RunState & { sha256?: Record<string, string> } {
  const damaged = (what: string) =>
    new UserError(`Cannot resume from ${folder}: state.json: ${what}, a whole checkpoint is needed`, OLDER);
  let state: RunState | null;
  try {
    state = parseJson(readPlainText(`${folder}/state.json`)) as RunState | null;
  } catch (error) {
    throw damaged((error as Error).message);
  }
  if (state?.step !== stepOf(folder)) throw damaged(`step ${state?.step} in the folder of another`);
  return state;
}
