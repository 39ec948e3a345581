import { UserError } from "../../gpu/errors.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import { checkpointsOf } from "./run_checkpoints.ts";
import { OLDER, readState, type RunState } from "./run_state.ts";

/**
 * The state of a checkpoint whose files are what was written: one whose bytes changed since would go on with other numbers in silence.
 * @throws UserError if any of its files is missing or damaged
 */
export function checkCheckpoint(folder: string): RunState {
  const { sha256 = {}, ...state } = readState(folder);
  for (const [name, expected] of Object.entries(sha256)) {
    const path = `${folder}/${name}`;
    const found = !isTaken(path)
      ? "is missing"
      : sha256Of([path]) === expected
      ? undefined
      : "is not what was written (its SHA-256 differs)";
    if (found === undefined) continue;
    throw new UserError(
      `Cannot resume from ${folder}: ${name} ${found}, a whole checkpoint is needed`,
      OLDER,
    );
  }
  return state;
}

/** What was found among a run's checkpoints. */
interface FoundCheckpoint {
  /** The newest whole one, and what it holds; none where there is none at all. */
  checkpoint?: string;
  state?: RunState;
  /** Newer ones, and why they are not whole. */
  passedOver: { folder: string; error: UserError }[];
}

/**
 * The newest checkpoint of a run that is whole.
 * @throws UserError if there are some, but none that is whole: what the newest lacks
 */
export function newestWhole(run: string): FoundCheckpoint {
  const passedOver: FoundCheckpoint["passedOver"] = [];
  for (const folder of checkpointsOf(run).reverse()) {
    try {
      return { checkpoint: folder, state: checkCheckpoint(folder), passedOver };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      passedOver.push({ folder, error });
    }
  }
  if (passedOver.length === 0) return { passedOver };
  throw new UserError(
    `${passedOver[0].error.message}; no other one is whole`,
    "put a whole copy of a checkpoint in its place, or start a new run",
  );
}
