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
import { DeviceLostError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { decodeSteps } from "../generation/decode.ts";
import { createDecodeState } from "../generation/decode_state.ts";
import { type Prefill, prepareRuns } from "../generation/prefill.ts";
import type { Stride } from "../generation/stride.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createKvCache } from "../transformer/kv_cache.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Model } from "../transformer/transformer.ts";
import { createAdmission, EngineFailedError, QueueFullError } from "./admission.ts";
import { copyPrompts } from "./copy_prompts.ts";
import { createPatience } from "./create_patience.ts";
import { createWorks } from "./create_works.ts";
import { planPrefill, type PrefillPlan } from "./plan_prefill.ts";
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
  /** Requests that may wait for all their choices to begin, or for other work. */
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
   * @throws QueueFullError if too many other requests wait, and none of its jobs runs or waits yet
   * @throws EngineFailedError if the device failed, of which nothing recovers
   * @throws what the job's own listeners threw: it ended with that, others go on
   */
  submit(job: ServingJob): Promise<void>;
  /**
   * Has other work of the device done between strides: what it does up to its next `yield` before each, and one work after the other.
   * @param request whose work it is, as in `ServingJob`
   * @param signal gives up: what is left is not done
   * @throws QueueFullError, EngineFailedError as `submit`; DOMException AbortError where it has given up; what the work throws
   */
  between<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T>;
  /** Resolves with what the device failed with. */
  readonly failed: Promise<unknown>;
  figures(): EngineFigures;
  /** Ends the loop when the turn at work is over, and frees the cache; jobs that are left fail. */
  close(): Promise<void>;
}

/** Rows of prompts a turn: what a software device does in about half a second, and what keeps a GPU busy. */
const PREFILL_ROWS = { software: 128, gpu: 1024 };

/** Rows of prompts that a device is given at a time. */
export const prefillRowsOf = ({ adapter }: Gpu): number =>
  PREFILL_ROWS[adapter.software ? "software" : "gpu"];

/** Milliseconds after which events are let in within a stride. */
const LONGEST_DEAF = 20;

/** Bytes of numbers that are seen of a stride's steps: they come to the CPU. */
const SEEN_BYTES = 2 ** 28;

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
  const seenBytes = Math.min(SEEN_BYTES, gpu.device.limits.maxBufferSize);
  const seenPlaces = Math.floor(seenBytes / (4 * STRIDE * model.config.vocabSize));
  const admission = createAdmission(tokenizer, prompts, { ...options, seenPlaces });
  const works = createWorks(gpu.errors);
  const patience = createPatience();
  const failing = Promise.withResolvers<unknown>();
  const figures = { promptTokens: 0, newTokens: 0, strides: 0 };
  const budget = options.prefillRows ?? prefillRowsOf(gpu);
  const readBehind = options.readBehind ?? !gpu.adapter.software;
  let failure: { error: unknown } | undefined;
  let closing = false;
  let wake = () => {};

  let heard = performance.now();
  /** Lets events in, by a timer: reads from the device resolve without a turn of the event loop, in which requests and signals come. */
  const hear = async (): Promise<void> => {
    await new Promise<void>((resolve) => void setTimeout(resolve, 0));
    heard = performance.now();
  };
  /** The next stride. A software device takes its steps while they are given to it, so events are let in between them. */
  const record = async (ready: ServedSequence[], prefill: Prefill | null): Promise<Stride> => {
    const steps = decodeSteps(state, ready, prefill);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (performance.now() - heard > LONGEST_DEAF) await hear();
    }
  };
  const { running } = admission;
  const turn = async (unread: UnreadStride[]): Promise<void> => {
    await works.takePart();
    admission.admit();
    copyPrompts(state, running);
    const plan = planPrefill(running, budget, options.cacheRows);
    figures.promptTokens += rowsOf(plan);
    const ready = inGroups(
      running.filter((one) => plan.rows.has(one) || (one.row !== null && one.steps < one.maxSteps)),
    );
    const like = `${Math.ceil(rowsOf(plan) / 16)} ${ready.length}`;
    {
      using temporary = gpu.arena.scratch();
      const prefill = plan.runs.length > 0
        ? prepareRuns(model, cache, plan.rows, plan.runs, temporary)
        : null;
      seen = roomForSeen(model, ready, temporary);
      if (ready.length > 0) {
        const stride = await record(ready, prefill);
        const readSeen = seen && gpu.reader.start(seen.tensor);
        unread.push({ stride, seen, readSeen, like, began: performance.now() });
        figures.strides++;
      } else if (prefill) {
        prefill.record();
        // Waited for, so that the device never has more than a turn to do.
        if (unread.length === 0) {
          const read = gpu.reader.start({ ...state.info, shape: [4] });
          await patience.wait(like, performance.now(), read);
        }
      }
    }
    while (unread.length > (ready.length > 0 && readBehind ? 1 : 0)) {
      const { stride, seen, readSeen, like, began } = unread.shift()!;
      const bytes = await patience.wait(like, began, stride.read);
      const rows = readSeen && new Float32Array(await readSeen());
      const places = seen && rows && { ...seen, rows, width: model.config.vocabSize };
      figures.newTokens += tellStride(stride, bytes, places, admission);
    }
  };
  const loop = async (): Promise<void> => {
    const unread: UnreadStride[] = [];
    while (!closing) {
      if (unread.length + works.waiting.size === 0 && admission.isIdle()) {
        await new Promise<void>((resolve) => wake = resolve);
        continue;
      }
      await turn(unread);
      await hear();
    }
  };
  const fail = (cause: unknown) => {
    const error = new EngineFailedError(cause);
    failure = { error };
    admission.fail(error);
    works.fail(error);
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
  const waiting = () => admission.waiting.union(works.waiting);
  const refusal = (request: object): { error: unknown } | undefined => {
    if (failure || admission.has(request)) return failure;
    const others = waiting();
    if (others.has(request) || others.size < options.mostWaiting) return undefined;
    return { error: new QueueFullError(`${options.mostWaiting} requests wait already`) };
  };
  return {
    submit(job) {
      const refused = refusal(job.request);
      if (refused) return Promise.reject(refused.error);
      const done = admission.submit(job);
      wake();
      return done;
    },
    between<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T> {
      const refused = refusal(request);
      if (refused) return Promise.reject(refused.error);
      const done = works.add(request, work, signal);
      wake();
      return done;
    },
    failed: failing.promise,
    figures: () => ({
      ...figures,
      running: running.length,
      waiting: waiting().size,
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

const rowsOf = ({ runs }: PrefillPlan): number => runs.reduce((sum, { ids }) => sum + ids.length, 0);

interface UnreadStride {
  stride: Stride;
  seen: SeenSteps | null;
  readSeen: (() => Promise<ArrayBuffer>) | null;
  /** See `Patience`. */
  like: string;
  began: number;
}
