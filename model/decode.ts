import type { Scratch } from "../gpu/arena.ts";
import { letEventsIn } from "../gpu/let_events_in.ts";
import { gather } from "../gpu/ops/gather.ts";
import { firstRows, type Tensor } from "../gpu/tensor.ts";
import { logits } from "./head.ts";
import type { KvCache } from "./kv_cache.ts";
import type { GenerateRequest, Part } from "./rollout.ts";
import type { detectAnswer, detectTrigger } from "./thinking_text.ts";
import type { StepInput } from "./thinking/thinking.ts";
import { finalNorm, forwardCached, type Model } from "./transformer.ts";

/** One rollout under way. */
export interface Slot {
  prompt: number;
  promptLength: number;
  prefixStart: number;
  ownStart: number;
  rollout: number;
  /** Absolute position of the phase's first row. */
  base: number;
  thinkingDetector: ReturnType<typeof detectTrigger>;
  answerDetector: ReturnType<typeof detectAnswer>;
  thinking: number[];
  answer: number[];
}

/** A batch under way. */
export interface GenerationState {
  model: Model;
  request: GenerateRequest;
  scratch: Scratch;
  slots: Slot[];
  cache: KvCache;
  columns: number;
  tokens: Tensor; // u32 [slots, columns]
  stats: Tensor; // [slots, columns, 4]
  hidden: Tensor; // [slots, steps, d]
}

// Ended rows leave the batch at these positions only, so that timing never changes a result.
const STRIDE = 4;

/** Thinking, or the answer. */
export interface Phase {
  part: Part;
  /** Column of the first step in tokens and stats. */
  first: number;
  steps: number;
  step(input: StepInput): void;
  /** Takes a slot's next token; true when its phase has ended. */
  push(slot: number, id: number): boolean;
  /** Whether the last step's row must enter the cache too. */
  feedLast: boolean;
}

/** Steps of one phase for all slots, rows x [slots, d] being the outputs that predict the first one. */
export async function decode(state: GenerationState, x: Tensor, phase: Phase): Promise<void> {
  const { model, scratch, columns, slots, request } = state;
  const { gpu, config } = model;
  const spare = scratch.f32(x.shape, "rows kept");
  let active = activate(state, slots.map((_, i) => i));
  let rows = x;
  for (let t = 0; t < phase.steps; t++) {
    using temporary = gpu.arena.scratch();
    const n = active.slots.length;
    const y = temporary.f32([n, config.hiddenSize], "normed");
    finalNorm(model, rows, y, temporary.f32([n], "rinv"));
    const z = logits(model, y, temporary);
    phase.step({
      model,
      z,
      info: active.info,
      shift: t,
      record: { tokens: state.tokens, stats: state.stats, column: phase.first + t },
      chosen: temporary.u32([n], "chosen"),
      next: rows,
      hidden: state.hidden,
      seed: request.seed,
      step: request.step,
    });
    request.onStep?.({ part: phase.part, index: t, slots: active.slots, z });
    const last = t + 1 === phase.steps;
    if (!last || phase.feedLast) {
      forwardCached(model, rows, state.cache, { rowMeta: active.rowMeta, shift: t });
    }
    if (!last && (t + 1) % STRIDE !== 0) continue;
    const ids = new Uint32Array(await gpu.reader.read(state.tokens));
    await letEventsIn();
    const from = t - t % STRIDE;
    const kept = stillActive(active.slots, (slot) => {
      for (let at = from; at <= t; at++) {
        if (phase.push(slot, ids[slot * columns + phase.first + at])) return false;
      }
      return true;
    });
    for (const slot of active.slots) request.onTokens?.(slot, phase.part, slots[slot][phase.part]);
    if (kept.length === 0) return;
    if (kept.length < n) {
      const index = temporary.u32([kept.length], "kept rows");
      gpu.commands.upload(index, Uint32Array.from(kept));
      const shrunk = firstRows(rows.storage === x.storage ? spare : x, kept.length);
      gather(gpu, rows, index, shrunk);
      rows = shrunk;
      active = activate(state, kept.map((row) => active.slots[row]));
    }
  }
}

function stillActive(slots: number[], goesOn: (slot: number) => boolean): number[] {
  return slots.flatMap((slot, row) => goesOn(slot) ? [row] : []);
}

/** Uploads what the kernels know of the rows that remain. */
function activate(
  state: GenerationState,
  slots: number[],
): { slots: number[]; info: Tensor; rowMeta: Tensor } {
  const { model: { gpu }, scratch } = state;
  const info = new Uint32Array(slots.length * 4);
  const meta = new Uint32Array(slots.length * 4);
  slots.forEach((index, row) => {
    const slot = state.slots[index];
    info.set([index, slot.rollout, 0, slot.base], row * 4);
    meta.set([slot.prefixStart, slot.promptLength, slot.ownStart, slot.base], row * 4);
  });
  const active = {
    slots,
    info: scratch.u32([slots.length, 4], "row info"),
    rowMeta: scratch.u32([slots.length, 4], "row meta"),
  };
  gpu.commands.upload(active.info, info);
  gpu.commands.upload(active.rowMeta, meta);
  return active;
}
