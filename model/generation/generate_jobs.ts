/**
 * Generation by continuous batching, a *stride* of four decoding steps at a time. A sequence waits in a queue until a slot and KV
 * rows for its prompt are free; then it runs until it finishes, and the next one gets its slot. Each turn of the loop:
 *
 * 1. `schedule` admits waiting sequences, and chooses which of the running ones take the next steps;
 * 2. `preparePrefill` computes keys and values of the prompts and forced texts that some of them need first, many in one pass;
 * 3. `decode` records the stride: each row stands at its own position, some think and others answer;
 * 4. `postprocess` appends the stride's tokens: sequences whose thinking ended go on to forced text and answer, others finish.
 *
 * Read behind, step 4 lags one stride, so that the device never waits; what was computed past an end is cut off.
 *
 * @module
 */
import type { Scratch } from "../../gpu/arena.ts";
import { letEventsIn } from "../../gpu/let_events_in.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { cacheRows, prefixRows, slotRows } from "../memory/cache_budget.ts";
import { hardThinking } from "../thinking/hard.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createKvCache } from "../transformer/kv_cache.ts";
import { contextOf, type Model } from "../transformer/transformer.ts";
import { decode } from "./decode.ts";
import { createDecodeState, type DecodeState } from "./decode_state.ts";
import { createKvRows, type KvRows } from "./kv_rows.ts";
import { preparePrefill } from "./prefill.ts";
import type { GenerationJob, GenerationSettings, Rollout } from "./rollout.ts";
import { createScheduler, postprocess, type Schedule, schedule } from "./scheduler.ts";
import { shapeOfJobs, slotsFor } from "./plan_slots.ts";
import { isAlike, stepByPart } from "./step_by_part.ts";
import type { Stride } from "./stride.ts";

/** Where finished rollouts go. */
export interface JobOutput {
  /** Called with each rollout as it ends, and the seconds that its steps took; what it waited for others counts not. */
  onRollout(rollout: Rollout, seconds: number): void;
  /** Called after each stride is read, with how many tokens of thinking and answers it brought. */
  onStride?(tokens: number): void;
  /** [rollouts, steps, d]: keeps the rows that continuous thinking fed, of the first rollouts where they are fewer than all. */
  hidden?: Tensor;
}

/** What generates the rollouts of jobs: {@link generateJobs} on this device, or other processes with it. A rollout is the same whoever makes it. */
export type JobRunner = typeof generateJobs;

/** What a runner of jobs is asked for, but for where it goes. */
export type AskedJobs = Parameters<JobRunner> extends [...infer Asked, unknown] ? Asked : never;

/**
 * Generates the rollouts of all jobs, as many at once as memory allows: where one ends, the next gets its slot, so that rows
 * stay busy whatever the lengths (method section 4). A job's rollouts share its prompt's keys and values, which are computed
 * once for all that run together. A rollout is the same to the bit whatever runs beside it.
 *
 * @throws UserError before anything is computed if the longest prompt leaves too little of the model's context
 */
export async function generateJobs(
  model: Model,
  tokenizer: Tokenizer,
  jobs: readonly GenerationJob[],
  settings: GenerationSettings,
  output: JobOutput,
): Promise<void> {
  if (jobs.length === 0) return;
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const { state, kvRows } = allocate(model, jobs, settings, output.hidden, scratch);
  const readBehind = settings.readBehind ?? !gpu.adapter.software;
  const onRollout: JobOutput["onRollout"] = (rollout, seconds) => output.onRollout(rollout, seconds);
  const context = contextOf(model);
  const scheduler = createScheduler({ tokenizer, settings, context, kvRows, readBehind, onRollout }, jobs);
  const unread: Stride[] = [];
  for (;;) {
    settings.signal?.throwIfAborted();
    const next = schedule(scheduler);
    const isGoingOn = next.decode.length > 0;
    if (isGoingOn) unread.push(recordStride(state, next));
    else if (unread.length === 0) return;
    while (unread.length > (isGoingOn && readBehind ? 1 : 0)) {
      const stride = unread.shift()!;
      const tokens = postprocess(scheduler, stride, await stride.read());
      output.onStride?.(tokens);
      await letEventsIn();
    }
  }
}

/** Prefill, where some sequences need it, and then a stride of decoding. */
function recordStride(state: DecodeState, { decode: sequences, prefill }: Schedule): Stride {
  const { model, cache } = state;
  using scratch = model.gpu.arena.scratch();
  return decode(
    state,
    sequences,
    prefill.length > 0 ? preparePrefill(model, cache, prefill, scratch) : null,
  );
}

/** Makes the KV cache, divides its rows, and makes the tensors of the rows that are decoded. */
function allocate(
  model: Model,
  jobs: readonly GenerationJob[],
  settings: GenerationSettings,
  hidden: Tensor | undefined,
  scratch: Scratch,
): { state: DecodeState; kvRows: KvRows } {
  const shape = shapeOfJobs(model, jobs, settings);
  const slots = slotsFor(model, jobs, shape, settings.atOnce);
  const cache = createKvCache(scratch, model.config, cacheRows(slots, shape));
  const kvRows = createKvRows(cache.rows, {
    slots,
    prefixRows: prefixRows(slots, shape),
    slotRows: slotRows(shape.maxNewTokens),
  });
  const { thinking } = settings;
  const answering = hardThinking(settings.answerTau);
  const { continuous } = thinking;
  const state = createDecodeState({
    ...{ model, cache, slots, continuous, alike: isAlike(thinking, answering) },
    takeStep: stepByPart(settings, answering),
    hidden: continuous ? hidden : undefined,
  }, scratch);
  return { state, kvRows };
}
