/**
 * Generation by continuous batching for jobs that come while others run: the strides, slots of the KV cache, prefill and ways of thinking
 * of `generation/`, in a loop that lives as long as its server. Each turn:
 *
 * 1. choices of waiting jobs are admitted while there are rows for them, fairly among jobs;
 * 2. the next rows of their prompts are prefilled, a bounded number, so that nobody who is being answered waits for a long prompt;
 * 3. all that are ready take a stride of steps, each group of equal settings by its own kernels (`step_by_group.ts`);
 * 4. the tokens are told; who has ended, was stopped or gave up leaves.
 *
 * Rows are row-invariant and draws are keyed by each choice's own number, so a text is the same alone and in a crowd.
 *
 * @module
 */
import { DeviceLostError, GpuError } from "../../gpu/errors.ts";
import { decode } from "../generation/decode.ts";
import { createDecodeState, type DecodeState } from "../generation/decode_state.ts";
import { prepareRuns } from "../generation/prefill.ts";
import type { Stride } from "../generation/stride.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createKvCache } from "../transformer/kv_cache.ts";
import type { Model } from "../transformer/transformer.ts";
import { createAdmission } from "./admission.ts";
import { planPrefill } from "./plan_prefill.ts";
import { createPromptCache } from "./prompt_cache.ts";
import type { ServedSequence } from "./served_sequence.ts";
import type { ServingJob } from "./serving_job.ts";
import { type DrawKey, inGroups, roomForSeen, type SeenSteps, stepByGroup } from "./step_by_group.ts";
import { tellStride } from "./tell_stride.ts";

/** What an engine may take. */
export interface EngineOptions extends DrawKey {
  /** Choices that run at once, at most. */
  atOnce: number;
  /** Rows of the KV cache. */
  cacheRows: number;
  /** Positions that a text may have: within the model's context and the cache. */
  context: number;
  /** Jobs that may wait for all their choices to begin. */
  mostWaiting: number;
  /** Rows of prompts that are prefilled before a stride; what suits the device if left out. */
  prefillRows?: number;
  /** Records a stride before the last one is read, as in `GenerationSettings`; what suits the device if left out. */
  readBehind?: boolean;
}

/** Figures of an engine. */
export interface EngineFigures {
  running: number;
  waiting: number;
  usedRows: number;
  cacheRows: number;
  /** Since it began. */
  promptTokens: number;
  sharedTokens: number;
  newTokens: number;
  strides: number;
}

/** Generates for as many as come. */
export interface Engine {
  /**
   * Resolves when all choices of the job have ended, or it has given up.
   * @throws QueueFullError if too many jobs wait
   * @throws Error what the device failed with, of which nothing recovers
   */
  submit(job: ServingJob): Promise<void>;
  /** Has other work of the device done between two strides, one at a time. */
  between<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves with what the device failed with. */
  readonly failed: Promise<unknown>;
  figures(): EngineFigures;
  /** Ends the loop when the turn at work is over, and frees the cache; jobs that are left fail. */
  close(): Promise<void>;
}

/** Rows of prompts a turn: what a software device does in about half a second, and what keeps a GPU busy. */
const PREFILL_ROWS = { software: 128, gpu: 1024 };

/** An engine at work on a model. */
export function createEngine(model: Model, tokenizer: Tokenizer, options: EngineOptions): Engine {
  const { gpu } = model;
  const scratch = gpu.arena.scratch();
  const cache = createKvCache(scratch, model.config, options.cacheRows);
  const prompts = createPromptCache(options.cacheRows);
  let seen: SeenSteps | null = null;
  const state = createDecodeState({
    ...{ model, cache, slots: options.atOnce, continuous: true, alike: true, hidden: undefined },
    takeStep: stepByGroup(options, () => seen),
  }, scratch);
  const admission = createAdmission(tokenizer, prompts, options);
  const works: { work: () => Promise<unknown>; done(value: unknown): void; failed(error: unknown): void }[] =
    [];
  const failing = Promise.withResolvers<unknown>();
  const figures = { promptTokens: 0, newTokens: 0, strides: 0 };
  const budget = options.prefillRows ?? PREFILL_ROWS[gpu.adapter.software ? "software" : "gpu"];
  const readBehind = options.readBehind ?? !gpu.adapter.software;
  let failure: { error: unknown } | undefined;
  let closing = false;
  let wake = () => {};

  const refuse = async ({ failed }: typeof works[number], error: unknown) => {
    const cause = await gpu.errors.explain(error);
    failed(cause);
    if (cause instanceof GpuError) throw cause;
  };
  const { running } = admission;
  const turn = async (unread: UnreadStride[]): Promise<void> => {
    const next = works.shift();
    if (next) await next.work().then(next.done, (error) => refuse(next, error));
    admission.admit();
    copyPrompts(state, running);
    const plan = planPrefill(running, budget, options.cacheRows);
    for (const { ids } of plan.runs) figures.promptTokens += ids.length;
    const ready = inGroups(
      running.filter((one) => plan.rows.has(one) || (one.row !== null && one.steps < one.maxSteps)),
    );
    {
      using temporary = gpu.arena.scratch();
      const prefill = plan.runs.length > 0
        ? prepareRuns(model, cache, plan.rows, plan.runs, temporary)
        : null;
      seen = roomForSeen(model, ready, temporary);
      if (ready.length > 0) {
        const stride = decode(state, ready, prefill);
        unread.push({ stride, seen, readSeen: seen && gpu.reader.start(seen.tensor) });
        figures.strides++;
      } else if (prefill) {
        prefill.record();
        // Waited for, so that the device never has more than a turn to do.
        if (unread.length === 0) await gpu.reader.read({ ...state.info, shape: [4] });
      }
    }
    while (unread.length > (ready.length > 0 && readBehind ? 1 : 0)) {
      const { stride, seen, readSeen } = unread.shift()!;
      const bytes = await stride.read();
      const rows = readSeen && new Float32Array(await readSeen());
      const places = seen && rows && { ...seen, rows, width: model.config.vocabSize };
      figures.newTokens += tellStride(stride, bytes, places, admission.finish);
    }
  };
  const loop = async (): Promise<void> => {
    const unread: UnreadStride[] = [];
    while (!closing) {
      if (unread.length + works.length === 0 && admission.isIdle()) {
        await new Promise<void>((resolve) => wake = resolve);
        continue;
      }
      await turn(unread);
      // By a timer: reads from the device resolve without a turn of the event loop, in which requests and signals come.
      await new Promise<void>((resolve) => void setTimeout(resolve, 0));
    }
  };
  const fail = (error: unknown) => {
    failure = { error };
    admission.fail(error);
    for (const { failed } of works.splice(0)) failed(error);
  };
  const ended = loop().catch(async (error) => {
    const cause = await gpu.errors.explain(error);
    fail(cause);
    failing.resolve(cause);
  });
  // A device may be lost while nobody asks for anything.
  gpu.device.lost.then(({ reason, message }) => {
    if (reason === "destroyed" || failure) return;
    const cause = new DeviceLostError(message || "its driver does not say why");
    fail(cause);
    failing.resolve(cause);
  });
  return {
    submit(job) {
      if (failure) return Promise.reject(failure.error);
      const done = admission.submit(job);
      wake();
      return done;
    },
    between<T>(work: () => Promise<T>): Promise<T> {
      if (failure) return Promise.reject(failure.error);
      return new Promise<T>((resolve, reject) => {
        works.push({ work, done: (value) => resolve(value as T), failed: reject });
        wake();
      });
    },
    failed: failing.promise,
    figures: () => ({
      ...figures,
      running: running.length,
      waiting: admission.waiting + works.length,
      usedRows: prompts.usedRows,
      sharedTokens: prompts.sharedTokens,
      cacheRows: options.cacheRows,
    }),
    async close() {
      closing = true;
      wake();
      await ended;
      if (!failure) fail(new Error("Cannot go on: the engine was closed"));
      scratch[Symbol.dispose]();
    },
  };
}

interface UnreadStride {
  stride: Stride;
  seen: SeenSteps | null;
  readSeen: (() => Promise<ArrayBuffer>) | null;
}

/** Gives prompts the keys and values of others that begin alike, once these are in the cache. */
function copyPrompts({ model, cache }: DecodeState, running: readonly ServedSequence[]): void {
  const { commands } = model.gpu;
  for (const { prefix } of running) {
    const { copied } = prefix;
    if (!copied) continue;
    const { from } = copied;
    // Where those gave up whose prompt it is, there is no more of it to wait for.
    if (from.filled < copied.length && running.some((other) => other.prefix === from)) continue;
    const length = Math.min(copied.length, from.filled);
    if (length > 0) {
      using scratch = model.gpu.arena.scratch();
      const width = cache.layers[0].k.shape[1];
      // By way of others: a copy within a buffer is none in WebGPU.
      const between = scratch.f32([length, width], "copied keys or values");
      for (const rows of cache.layers.flatMap(({ k, v }) => [k, v])) {
        commands.copy(rows, from.start * width, between, 0, length * width);
        commands.copy(between, 0, rows, prefix.start * width, length * width);
      }
    }
    prefix.filled = length;
    from.users--;
    prefix.copied = null;
  }
}
