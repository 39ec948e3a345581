import type { JobOutput } from "../../model/generation/generate_jobs.ts";
import type { GenerationSettings, Rollout } from "../../model/generation/rollout.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { Part } from "./cut_jobs.ts";
import type { Job } from "./job.ts";
import type { GivenJob, WorkerPool } from "./worker_pool.ts";

/** A part of the rollouts that are wanted, on its way. */
export interface Task extends Part {
  given?: GivenJob;
  /** When it was given to workers, by the clock of `performance`. */
  sent: number;
  /** Results of it that were refused. */
  refusals: number;
  /** A result of it is being looked through. */
  checked?: boolean;
  /** This device is at it; aborted where a worker was first. */
  here?: AbortController;
  done: boolean;
}

/** Rollouts that are wanted, and who makes them. */
export interface Share {
  pool: WorkerPool;
  model: Model;
  tokenizer: Tokenizer;
  settings: GenerationSettings;
  output: JobOutput;
  tasks: Task[];
  /** What all jobs have in common. */
  common: Omit<Job, "id" | "prompts" | "rows">;
}

/** What a task that comes back, or does not, is told to. */
export interface Steering {
  /** It is done. */
  done(): void;
  /** Something changed: this device may have something to do. */
  stir(): void;
  /** Nothing more is to be done: it failed. */
  stop(reason: unknown): void;
}

/** Of how many of a task's rollouts the rows fed are kept. */
export function rowsWanted(
  { settings: { thinking }, output: { hidden } }: Share,
  { first, count }: Part,
): number {
  return thinking.continuous && hidden ? Math.max(0, Math.min(count, hidden.shape[0] - first)) : 0;
}

/** A rollout of a task by its numbers among all. */
export const globally = (task: Part, rollout: Rollout, madeOn?: string): Rollout => ({
  ...rollout,
  ...(madeOn === undefined ? {} : { madeOn }),
  prompt: task.owners[rollout.prompt],
  index: task.first + rollout.index,
});
