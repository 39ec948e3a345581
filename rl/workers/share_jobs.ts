import type { JobRunner } from "../../model/generation/generate_jobs.ts";
import type { GenerationSettings } from "../../model/generation/rollout.ts";
import { cutJobs } from "./cut_jobs.ts";
import { giveTask } from "./give_task.ts";
import type { Job, ServedFile } from "./job.ts";
import { ownDevice } from "./own_device.ts";
import { markDone, type Share, type Steering, type Task } from "./task.ts";
import { watchWorkers } from "./watch_workers.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** What rollouts are made with. */
export interface Offer {
  /** The list of the model's files. */
  parcel: ServedFile;
  /** What has been trained, before an update's rollouts; left out where nothing changes. */
  trained?: (step: number) => Promise<ServedFile[]>;
}

/**
 * A runner of jobs that gives them to the workers of a pool, and where the pool says so to this device, too: a part to each. Whoever makes a
 * rollout makes the same one. What a worker leaves undone is given to another, or made here.
 */
export function shareJobs(pool: WorkerPool, offer: Offer): JobRunner {
  return async (model, tokenizer, jobs, settings, output) => {
    if (jobs.length === 0) return;
    if (settings.onStep || settings.onTokens || settings.plain || !settings.thinking.made) {
      throw new Error(
        "Cannot give these rollouts to workers: their steps are watched, or their way of thinking is unknown",
      );
    }
    const trained = await offer.trained?.(settings.step);
    const ready = await pool.ready();
    const helpers = ready + (pool.own ? 1 : 0);
    const parts = cutJobs(jobs, {
      parts: Math.max(1, helpers),
      mostRollouts: settings.atOnce,
      mostBytes: pool.mostBytes,
    });
    const tasks = parts.map((part): Task => ({ ...part, sent: 0, refusals: 0, done: false }));
    const share: Share = {
      ...{ pool, model, tokenizer, settings, output },
      tasks: { left: new Set(tasks), out: new Set(), undone: tasks.length },
      common: commonOf(pool, offer.parcel, trained, settings),
    };
    await runShare(share, ready);
  };
}

function commonOf(
  pool: WorkerPool,
  parcel: ServedFile,
  trained: ServedFile[] | undefined,
  { thinking, rules, answerTau, seed, step, atOnce }: GenerationSettings,
): Share["common"] {
  const { maxThinking, maxAnswer, endTokenIds, forcedIds } = rules;
  const lists = Object.fromEntries(Object.entries(forcedIds).map(([kind, ids]) => [kind, [...ids]]));
  return {
    ...{ version: pool.version, session: pool.session, url: pool.files.url, parcel, trained },
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

/** Gives out all tasks, and ends when all are done. */
async function runShare(share: Share, idle: number): Promise<void> {
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
  let own: Promise<void> | undefined;
  try {
    fill(share, helpers, steering);
    // Once this device is at work, hardly an event is let in.
    own = pool.flush().then(() => ownDevice(share, onDone, () => wake.promise, () => ended));
    own.catch(over.reject);
    await over.promise;
  } finally {
    ended = true;
    settings.signal?.removeEventListener("abort", abort);
    watch[Symbol.dispose]();
    tasks.left.clear();
    for (const task of tasks.out) markDone(share, task);
    tasks.here?.abort(new DOMException("nobody needs it any more", "AbortError"));
    stir();
    await own?.catch(() => {});
  }
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
