import type { FileServer } from "./serve_files.ts";
import type { Job } from "./job.ts";
import type { WorkTally } from "./worker_time.ts";

/** A job that is given to workers. */
export interface GivenJob {
  job: Job;
  /** The most bytes of its result. */
  most: number;
  /** Of the message that it is, once the server has it. */
  sequence?: number;
  /** Told of what will look through a result, to be called when somebody waits for it; it is called at once where this is left out. */
  came?(look: () => Promise<void>): Promise<void>;
  /** Looks through a result; throws RefusedResult and nothing else. */
  take(bytes: Uint8Array<ArrayBuffer>, worker: string): Promise<void>;
  /**
   * Told of a result that was refused, and of a job that workers took out of the queue without one.
   * @param isBroken workers ended at it: others are not to be given it
   */
  refused(isBroken?: boolean): void;
  /** Nothing can come of it. */
  stop(reason: unknown): void;
}

/** Who is there to take jobs. */
export interface WorkersThere {
  /** Waiting for a job. */
  waiting: number;
  /** Jobs that are made now, of all sessions. */
  atWork: number;
}

/** Workers of a NATS server, as one process uses them that gives them jobs. */
export interface WorkerPool extends AsyncDisposable, WorkTally {
  readonly session: string;
  /** Of softcot: workers of another make nothing here. */
  readonly version: string;
  /** Of the server, for people. */
  readonly place: string;
  /** Serves what workers need. */
  readonly files: FileServer;
  /** Bytes that a job's message may have. */
  readonly mostBytes: number;
  /** The least of a device's work is done here, too; else workers alone make rollouts. */
  readonly own: boolean;
  /** Aborted when what is under way is to be ended where nobody works at it. */
  signal?: AbortSignal;
  /** Gives a job, now or as soon as the server takes it. */
  give(given: GivenJob): void;
  /** Resolves when the server has all that was given, or soon where it does not answer. */
  flush(): Promise<void>;
  /** Nobody needs its result any more. */
  withdraw(given: GivenJob): void;
  there(): Promise<WorkersThere | undefined>;
  /**
   * Whether a job waits, is with a worker, or has a result on its way; of one that the server has not yet, or where it does not answer, yes.
   */
  isUnderWay(given: GivenJob): Promise<boolean>;
  /** How many workers will take jobs at once, now or in a moment: those that wait, or that have just sent a result. */
  ready(): Promise<number>;
  say(line: string): void;
  /** Says what may happen again and again: once, then how often it was, every half minute at most. */
  sayAtTimes(line: string): void;
}
