import { rowsOf, sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { generateJobs, type JobOutput, type JobRunner } from "../../model/generation/generate_jobs.ts";
import type { GenerationJob, GenerationSettings, Rollout } from "../../model/generation/rollout.ts";
import { roomForFed } from "../../model/generation/generate.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { checkRollout } from "./check_rollout.ts";
import { cutJobs, type Part } from "./cut_jobs.ts";
import { type Job, type ServedFile, weightsOf } from "./job.ts";
import {
  decodeResult,
  describeKind,
  type Expected,
  kindOf,
  mostBytes,
  RefusedResult,
  type TakenResult,
} from "./result.ts";
import type { GivenJob, WorkerPool } from "./worker_pool.ts";

/** What rollouts are made with. */
export interface Offer {
  /** The list of the model's files. */
  parcel: ServedFile;
  /** What has been trained, before an update's rollouts; left out where nothing changes. */
  trained?: (step: number) => Promise<ServedFile[]>;
}

/** Milliseconds between looks at who is there, and between words that nobody is. */
const LOOK = 1000;
const REMIND = 30_000;

/** Refused results of one job after which this device makes it. */
const MOST_REFUSED = 3;

/** A part of the rollouts that are wanted, on its way. */
interface Task extends Part {
  given?: GivenJob;
  /** When it was given to workers, by the clock of `performance`. */
  sent: number;
  refusals: number;
  attempts: number;
  /** This device is at it; aborted where a worker was first. */
  here?: AbortController;
  done: boolean;
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
    const share: Share = {
      ...{ pool, model, tokenizer, jobs, settings, output },
      tasks: parts.map((part): Task => ({ ...part, sent: 0, refusals: 0, attempts: 0, done: false })),
      common: commonOf(pool, offer.parcel, trained, settings),
    };
    await runShare(share, ready);
  };
}

interface Share {
  pool: WorkerPool;
  model: Model;
  tokenizer: Tokenizer;
  jobs: readonly GenerationJob[];
  settings: GenerationSettings;
  output: JobOutput;
  tasks: Task[];
  common: Omit<Job, "id" | "prompts" | "rows">;
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
    if (tasks.every(({ done }) => done)) over.resolve();
    else fill();
    stir();
  };
  const waiting = () => tasks.filter((task) => !task.done && !task.given && !task.here);
  /** As many with workers as they have in hand and will take next. */
  const fill = () => {
    const out = tasks.filter((task) => !task.done && task.given).length;
    // The first that is left is this device's.
    const next = waiting().slice(pool.own && !tasks.some(({ here }) => here) ? 1 : 0);
    const room = Math.max(0, Math.max(1, 2 * helpers) - out);
    for (const task of next.slice(0, room)) give(share, task, steering);
  };
  const steering: Steering = { done: onDone, stir, stop: over.reject };
  const own = ownDevice(share, onDone, () => wake.promise, () => ended);
  own.catch(over.reject);
  const watch = watchWorkers(share, {
    found(count) {
      helpers = count ?? helpers;
      fill();
      stir();
    },
    again: (task) => give(share, task, steering),
    stop: over.reject,
  });
  const abort = () => over.reject(settings.signal!.reason);
  if (settings.signal?.aborted) abort();
  settings.signal?.addEventListener("abort", abort, { once: true });
  fill();
  try {
    await over.promise;
  } finally {
    ended = true;
    settings.signal?.removeEventListener("abort", abort);
    watch[Symbol.dispose]();
    for (const { given, here } of tasks) {
      if (given) pool.withdraw(given);
      here?.abort(new DOMException("nobody needs it any more", "AbortError"));
    }
    stir();
    await own.catch(() => {});
  }
}

/** What a task that comes back, or does not, is told to. */
interface Steering {
  done(): void;
  /** Something changed: this device may have something to do. */
  stir(): void;
  stop(reason: unknown): void;
}

/** Gives a task to workers, once more where it was given before. */
function give(share: Share, task: Task, { done, stir, stop }: Steering): void {
  const { pool, tokenizer, model, settings: { rules, thinking }, common } = share;
  if (task.given) pool.withdraw(task.given);
  const id = crypto.randomUUID().replaceAll("-", "");
  // One can be looked at as closely as this device can only with its rows.
  const rows = thinking.continuous ? Math.max(1, rowsWanted(share, task)) : 0;
  const job: Job = {
    ...common,
    id,
    prompts: task.jobs.map(({ prompt, rolloutIds }) => ({
      prompt: [...prompt],
      rolloutIds: [...rolloutIds as number[]],
    })),
    rows,
  };
  const expected: Expected = {
    ...{ job: id, version: pool.version, weights: weightsOf(job), prompts: task.jobs, rules, tokenizer },
    ...{ vocab: model.config.vocabSize, width: thinking.continuous ? model.config.hiddenSize : 0, rows },
  };
  const given: GivenJob = {
    ...{ job, most: mostBytes(expected) },
    async take(bytes, worker) {
      const result = decodeResult(bytes, expected);
      try {
        await checkOne(share, task, result);
      } catch (error) {
        if (error instanceof RefusedResult) throw error;
        return stop(error);
      }
      pool.withdraw(given);
      if (task.done) return;
      task.done = true;
      task.here?.abort(new DOMException("a worker was first", "AbortError"));
      const { device, seconds, waited, fetched, rollouts } = result.head;
      pool.count(worker, { device: device.adapter, rollouts: rollouts.length, seconds, waited, fetched });
      deliver(share, task, result);
      done();
    },
    refused() {
      task.refusals++;
      stir();
    },
  };
  task.given = given;
  task.sent = performance.now();
  task.attempts++;
  pool.give(given);
}

/** Looks at one rollout of a result, which nobody can foresee, as closely as this device can. */
async function checkOne(
  { model, settings }: Share,
  task: Task,
  { rollouts, rows }: TakenResult,
): Promise<void> {
  const [index] = crypto.getRandomValues(new Uint32Array(1)).map((word) =>
    word % (rows.length || rollouts.length)
  );
  const rollout = rollouts[index];
  const { prompt } = task.jobs[rollout.prompt];
  const ids = task.jobs.flatMap(({ rolloutIds }) => Array.from(rolloutIds));
  await checkRollout(model, settings, { prompt, rollout, id: ids[index], rows: rows[index] });
}

/** Of how many of a task's rollouts the rows fed are kept. */
function rowsWanted({ settings: { thinking }, output: { hidden } }: Share, { first, count }: Part): number {
  return thinking.continuous && hidden ? Math.max(0, Math.min(count, hidden.shape[0] - first)) : 0;
}

const globally = (task: Part, rollout: Rollout, madeOn?: string): Rollout => ({
  ...rollout,
  ...(madeOn === undefined ? {} : { madeOn }),
  prompt: task.owners[rollout.prompt],
  index: task.first + rollout.index,
});

/** Puts a worker's rollouts where those of this device would be. */
function deliver(share: Share, task: Task, { head, rollouts, rows }: TakenResult): void {
  const { model, output } = share;
  const each = output.hidden ? sizeOf(output.hidden.shape.slice(1)) : 0;
  rows.slice(0, rowsWanted(share, task)).forEach((data, i) => {
    if (data.length > 0) model.gpu.commands.upload(output.hidden!, data, (task.first + i) * each);
  });
  const [device, here] = [head.device, kindOf(model.gpu)].map(describeKind);
  const madeOn = device === here ? undefined : device;
  let tokens = 0;
  rollouts.forEach((rollout, i) => {
    tokens += rollout.thinking.length + rollout.answer.length;
    output.onRollout(globally(task, rollout, madeOn), head.rollouts[i].seconds);
  });
  output.onStride?.(tokens);
}

/** This device: takes what nobody has, then what others leave undone. */
async function ownDevice(
  share: Share,
  onDone: () => void,
  next: () => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const { pool, tasks } = share;
  let perRollout = 0;
  while (!isOver()) {
    const task = tasks.find((task) =>
      !task.done && (task.refusals >= MOST_REFUSED || pool.own && !task.given)
    ) ??
      (pool.own ? tasks.find((task) => !task.done && isLate(task, perRollout)) : undefined);
    if (!task) {
      const began = performance.now();
      await next();
      if (pool.own) pool.count("here", { waited: (performance.now() - began) / 1000 });
      continue;
    }
    const began = performance.now();
    if (await makeHere(share, task)) {
      const seconds = (performance.now() - began) / 1000;
      perRollout = seconds / task.count;
      pool.count("here", { device: kindOf(share.model.gpu).adapter, rollouts: task.count, seconds });
      onDone();
    }
  }
}

/** Others take more than twice the time that this device would, and it has nothing else to do. */
function isLate({ given, sent, count }: Task, perRollout: number): boolean {
  return given !== undefined && performance.now() - sent > 1000 * Math.max(2, 2 * perRollout * count);
}

/** @returns false where a worker was first */
async function makeHere(share: Share, task: Task): Promise<boolean> {
  const { model, tokenizer, settings, output } = share;
  const here = task.here = new AbortController();
  using scratch = model.gpu.arena.scratch();
  const rows = rowsWanted(share, task);
  const isInPlace = task.first === 0 && !task.given;
  // What a worker may still bring comes as a whole, and so do rows that are put in their place at the end.
  const whole: [Rollout, number][] | undefined = task.given || (rows > 0 && !isInPlace) ? [] : undefined;
  let hidden: Tensor | undefined;
  if (rows > 0) {
    hidden = isInPlace ? rowsOf(output.hidden!, 0, rows) : roomForFed(model, settings, rows, scratch);
  }
  try {
    await generateJobs(model, tokenizer, task.jobs, {
      ...settings,
      signal: AbortSignal.any([here.signal, ...(settings.signal ? [settings.signal] : [])]),
    }, {
      hidden,
      onStride: whole ? undefined : output.onStride,
      onRollout(rollout, seconds) {
        if (whole) whole.push([rollout, seconds]);
        else output.onRollout(globally(task, rollout), seconds);
      },
    });
  } catch (error) {
    if (!here.signal.aborted) throw error;
    return false;
  } finally {
    task.here = undefined;
  }
  if (task.done) return false;
  task.done = true;
  if (hidden && !isInPlace) {
    const each = sizeOf(hidden.shape.slice(1));
    model.gpu.commands.copy(hidden, 0, output.hidden!, task.first * each, rows * each);
  }
  for (const [rollout, seconds] of whole ?? []) output.onRollout(globally(task, rollout), seconds);
  if (task.given) share.pool.withdraw(task.given);
  return true;
}

/** Looks after the workers while there is something to do: says when there is none, gives again what got lost. */
function watchWorkers(
  { pool, tasks }: Share,
  { found, again, stop }: {
    /** Called at each look; undefined where the server does not answer. */
    found(helpers: number | undefined): void;
    again(task: Task): void;
    stop(reason: unknown): void;
  },
): Disposable {
  let told = performance.now() - REMIND + 2 * LOOK;
  let lost = 0;
  let looking = false;
  const look = async () => {
    const there = await pool.there();
    const out = tasks.filter((task) => !task.done && task.given);
    const nobody = !there || there.waiting + there.atWork === 0;
    found(there && there.waiting + there.atWork);
    // Neither waiting in the queue nor with anybody: whoever had them said that they are done, and nothing came.
    lost = there && out.length > 0 && there.untaken + there.atWork === 0 ? lost + 1 : 0;
    if (lost >= 3) {
      lost = 0;
      out.forEach(again);
    }
    if (!nobody || pool.own) return;
    if (pool.signal?.aborted) return stop(new DOMException("no worker was there", "AbortError"));
    if (performance.now() - told < REMIND) return;
    told = performance.now();
    pool.say(
      there
        ? `waiting  no worker is there to make rollouts: start one with softcot worker ${pool.place}`
        : `waiting  the NATS server at ${pool.place} is not there`,
    );
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look().catch(stop).finally(() => looking = false);
  }, LOOK);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
