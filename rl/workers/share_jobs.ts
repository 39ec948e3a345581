import type { AskedJobs, JobOutput, JobRunner } from "../../model/generation/generate_jobs.ts";
import type { GenerationJob, GenerationSettings } from "../../model/generation/rollout.ts";
import { cutJobs } from "./cut_jobs.ts";
import { giveTask } from "./give_task.ts";
import type { Job, ServedFile } from "./job.ts";
import { ownDevice } from "./own_device.ts";
import { markDone, type Share, type Steering, type Task } from "./task.ts";
import type { TrainedFiles } from "./trained_weights.ts";
import { watchWorkers } from "./watch_workers.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** What rollouts are made with. */
export interface Offer {
  /** The list of the model's files. */
  parcel: ServedFile;
  /** What had been trained by the rollouts of an update; left out where nothing changes. */
  trained?: (step: number) => Promise<TrainedFiles>;
}

/** Jobs whose rollouts workers make. */
export interface SharedJobs extends Disposable {
  /**
   * Gives jobs to the workers, and where the pool says so to this device, too: a part to each. Whoever makes a rollout makes the same one. What
   * a worker leaves undone is given to another, or made here.
   */
  run: JobRunner;
  /** Gives them jobs that `run` will be asked for later, when the trained weights may have moved on: till then this device has no part in it. */
  begin(...asked: AskedJobs): Promise<void>;
}

/** Jobs that are out, and what is done when they are wanted. */
interface Begun extends Disposable {
  /** Takes what is there and what comes, makes what nobody does, and resolves when all is done. */
  take(output: JobOutput): Promise<void>;
}

/** Shares jobs with the workers of a pool. */
export function shareJobs(pool: WorkerPool, offer: Offer): SharedJobs {
  const begun = new Map<string, Begun>();
  const begin: SharedJobs["begin"] = async (...asked) => {
    const key = keyOf(asked);
    if (begun.has(key)) return;
    const helpers = async () => {
      const { waiting = 0, atWork = 0 } = await pool.there() ?? {};
      // Those who are at other jobs will come to these.
      return Math.max(waiting + atWork, await pool.ready());
    };
    begun.set(key, await beginShare(pool, offer, asked, { rows: countOf(asked[2]), helpers }));
  };
  return {
    begin,
    async run(model, tokenizer, jobs, settings, output) {
      if (jobs.length === 0) return;
      const asked: AskedJobs = [model, tokenizer, jobs, settings];
      const key = keyOf(asked);
      const rows = output.hidden?.shape[0] ?? 0;
      const share = begun.get(key) ?? await beginShare(pool, offer, asked, { rows, helpers: pool.ready });
      begun.delete(key);
      using _ = share;
      await share.take(output);
    },
    [Symbol.dispose]() {
      for (const share of begun.values()) share[Symbol.dispose]();
    },
  };
}

/** Rollouts of an update never share a number, and those of all jobs have one. */
const keyOf = ([, , jobs, { step }]: AskedJobs): string => `${step} ${jobs[0]?.rolloutIds[0]}`;

const countOf = (jobs: readonly GenerationJob[]): number =>
  jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);

/**
 * @param rows of how many rollouts, the first ones, the rows fed are kept
 * @param helpers counts the workers that will take jobs
 */
async function beginShare(
  pool: WorkerPool,
  offer: Offer,
  [model, tokenizer, jobs, settings]: AskedJobs,
  { rows, helpers: count }: { rows: number; helpers: () => Promise<number> },
): Promise<Begun> {
  if (settings.onStep || settings.onTokens || settings.plain || !settings.thinking.made) {
    throw new Error(
      "Cannot give these rollouts to workers: their steps are watched, or their way of thinking is unknown",
    );
  }
  const trained = await offer.trained?.(settings.step);
  const helpers = await count();
  const parts = cutJobs(jobs, {
    parts: Math.max(1, helpers + (pool.own ? 1 : 0)),
    mostRollouts: settings.atOnce,
    mostBytes: pool.mostBytes,
  });
  const tasks = parts.map((part): Task => ({ ...part, sent: 0, refusals: 0, done: false }));
  return runShare({
    ...{ pool, model, tokenizer, settings, arrived: [] },
    rows: settings.thinking.continuous ? rows : 0,
    tasks: { left: new Set(tasks), out: new Set(), undone: tasks.length },
    common: commonOf(pool, offer.parcel, trained, settings),
  }, helpers);
}

function commonOf(
  pool: WorkerPool,
  parcel: ServedFile,
  trained: TrainedFiles | undefined,
  { thinking, rules, answerTau, seed, step, atOnce }: GenerationSettings,
): Share["common"] {
  const { maxThinking, maxAnswer, endTokenIds, forcedIds } = rules;
  const lists = Object.fromEntries(Object.entries(forcedIds).map(([kind, ids]) => [kind, [...ids]]));
  return {
    ...{ version: pool.version, session: pool.session, url: pool.files.url, parcel },
    ...{ trained: trained?.files, update: trained?.update ?? 0 },
    thinking: thinking.made as Job["thinking"],
    rules: {
      maxThinking,
      maxAnswer,
      endTokenIds: [...endTokenIds],
      forcedIds: lists as Job["rules"]["forcedIds"],
    },
    ...{ answerTau, seed, step, atOnce },
  };
}

/** Gives out all tasks. */
function runShare(share: Share, idle: number): Begun {
  const { pool, tasks, settings } = share;
  const over = Promise.withResolvers<void>();
  // Whoever awaits it may come later.
  over.promise.catch(() => {});
  let wake = Promise.withResolvers<void>();
  let helpers = idle;
  let ended = false;
  const stir = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const onDone = () => {
    if (tasks.undone === 0) over.resolve();
    else fill(share, helpers, steering);
    stir();
  };
  const steering: Steering = { done: onDone, stir, stop: over.reject };
  const watch = watchWorkers(share, {
    found(count) {
      helpers = count ?? helpers;
      fill(share, helpers, steering);
      stir();
    },
    again: (task) => giveTask(share, task, steering),
    stop: over.reject,
  });
  const abort = () => over.reject(settings.signal!.reason);
  if (settings.signal?.aborted) abort();
  settings.signal?.addEventListener("abort", abort, { once: true });
  const end = () => {
    ended = true;
    settings.signal?.removeEventListener("abort", abort);
    watch[Symbol.dispose]();
    tasks.left.clear();
    for (const task of tasks.out) markDone(share, task);
    tasks.here?.abort(new DOMException("nobody needs it any more", "AbortError"));
    stir();
  };
  try {
    fill(share, helpers, steering);
  } catch (error) {
    over.reject(error);
  }
  return {
    async take(output) {
      share.output = output;
      for (const look of share.arrived.splice(0)) look().catch(over.reject);
      // Once this device is at work, hardly an event is let in.
      const own = pool.flush().then(() => ownDevice(share, onDone, () => wake.promise, () => ended));
      own.catch(over.reject);
      try {
        await over.promise;
      } finally {
        end();
        await own.catch(() => {});
      }
    },
    [Symbol.dispose]: () => ended || end(),
  };
}

/** Gives as many to workers as they have in hand and will take next; the first that is left is this device's, where it has none. */
function fill(share: Share, helpers: number, steering: Steering): void {
  const { pool, tasks } = share;
  let room = Math.max(1, 2 * helpers) - tasks.out.size;
  let kept = pool.own && !tasks.here ? 1 : 0;
  for (const task of tasks.left) {
    if (room <= 0) return;
    if (kept-- > 0) continue;
    giveTask(share, task, steering);
    room--;
  }
}
