import type { Sequence } from "../generation/sequence.ts";
import type { CachedPrompt, Place } from "./prompt_cache.ts";
import type { ServingJob } from "./serving_job.ts";

/** A choice of a job that runs. */
export interface ServedSequence extends Sequence {
  prefix: CachedPrompt;
  place: Place;
  job: ServingJob;
  /** Which of the job's choices. */
  choice: number;
  /** Tokens of the rest of its prompt whose keys and values are in the cache, or recorded. */
  restFilled: number;
}

/** Whether all that its next step needs is in the cache, or recorded, its row included. */
export const isReady = ({ row }: ServedSequence): boolean => row !== null;
