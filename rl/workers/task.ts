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
  /** Results of it that were refused, and times that workers took it out of the queue without one. */
  refusals: number;
  /** A result of it is being looked through. */
  checked?: boolean;
  /** This device is at it; aborted where a worker was first. */
  here?: AbortController;
  done: boolean;
}

/** Refused results of one task after which this device makes it. */
export const MOST_REFUSED = 3;

/** Where tasks are, however many there are. */
export interface Tasks {
  /** Those that nobody has, in their order. */
  left: Set<Task>;
  /** Those that are with workers; this device may be at one of them, too. */
  out: Set<Task>;
  /** How many are not done. */
  undone: number;
  /** That of the task that this device is at. */
  here?: AbortController;
}

/** Rollouts that are wanted, and who makes them. */
export interface Share {
  pool: WorkerPool;
  model: Model;
  tokenizer: Tokenizer;
  settings: GenerationSettings;
  /** Of how many rollouts, the first ones, the rows fed are kept. */
  rows: number;
  /** Where rollouts go; nowhere as long as nobody waits for them: till then this device is for other work. */
  output?: JobOutput;
  /** What looks through results that came before. */
  arrived: (() => Promise<void>)[];
  tasks: Tasks;
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

/** A task is done: whoever else is at it is too late. */
export function markDone({ tasks, pool }: Share, task: Task): void {
  task.done = true;
  tasks.undone--;
  tasks.left.delete(task);
  tasks.out.delete(task);
  if (task.given) pool.withdraw(task.given);
}

/** Of how many of a task's rollouts the rows fed are kept. */
export const rowsWanted = ({ rows }: Share, { first, count }: Part): number =>
  Math.max(0, Math.min(count, rows - first));

/** A rollout of a task by its numbers among all. */
export const globally = (task: Part, rollout: Rollout, madeOn?: string): Rollout => ({
  ...rollout,
  ...(madeOn === undefined ? {} : { madeOn }),
  prompt: task.owners[rollout.prompt],
  index: task.first + rollout.index,
});
