import type { Scratch } from "../gpu/arena.ts";
import { letEventsIn } from "../gpu/let_events_in.ts";
import { gather } from "../gpu/ops/gather.ts";
import { firstRows, type Tensor } from "../gpu/tensor.ts";
import { checkContext, rowsOfRollout } from "./context.ts";
import { logits } from "./head.ts";
import { createKvCache, type KvCache } from "./kv_cache.ts";
import { packRows, type RowRun, uploadLayout } from "./packing.ts";
import type { GeneratedBatch, GenerateRequest, Part, Rollout, StepStats } from "./rollout.ts";
import { detectAnswer, detectEnd, detectTrigger } from "./thinking_text.ts";
import { hardThinking } from "./thinking/hard.ts";
import type { StepInput } from "./thinking/thinking.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { finalNorm, forwardCached, type Model } from "./transformer.ts";

export { checkContext, rowsOfRollout } from "./context.ts";
export type { GeneratedBatch, GenerateRequest, ObservedStep, Part, Rollout, StepStats } from "./rollout.ts";

interface Slot {
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

interface State {
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

/**
 * Generates rollouts: prefill of each prompt once, thinking, the forced string, the answer (method section 4).
 * All sampling is done on the GPU; token ids are read every few positions.
 * @param scratch keeps `hidden` for the caller
 */
export async function generate(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
): Promise<GeneratedBatch> {
  using own = model.gpu.arena.scratch();
  const state = openState(model, tokenizer, request, own, scratch);
  const { slots } = state;
  const { maxThinking, maxAnswer } = request.rules;
  const x = prefillPrompts(state);
  await decode(state, x, {
    part: "thinking",
    first: 0,
    steps: maxThinking,
    step: (input) => request.thinking.step(input),
    push: (slot, id) => {
      slots[slot].thinking.push(id);
      return slots[slot].thinkingDetector.push(id) !== null;
    },
    feedLast: request.plain !== true,
  });
  if (request.plain) return { rollouts: await collect(state), hidden: state.hidden };
  const answering = hardThinking(request.answerTau);
  const answerRows = prefillForced(state);
  await decode(state, answerRows, {
    part: "answer",
    first: maxThinking,
    steps: maxAnswer,
    step: (input) => answering.step(input),
    push: (slot, id) => {
      slots[slot].answer.push(id);
      return slots[slot].answerDetector.push(id) !== null;
    },
    feedLast: false,
  });
  return { rollouts: await collect(state), hidden: state.hidden };
}

function openState(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
  lasting: Scratch,
): State {
  const { prompts, group, rules, thinking } = request;
  const { maxThinking, maxAnswer } = rules;
  const ownRows = request.plain ? maxThinking : rowsOfRollout(rules);
  checkContext(model, Math.max(...prompts.map((prompt) => prompt.length)), ownRows);
  const promptRows = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const slots: Slot[] = [];
  let prefixStart = 0;
  prompts.forEach((prompt, b) => {
    for (let g = 0; g < group; g++) {
      slots.push({
        prompt: b,
        promptLength: prompt.length,
        prefixStart,
        ownStart: promptRows + slots.length * ownRows,
        rollout: request.rolloutIds[slots.length],
        base: prompt.length,
        thinkingDetector: request.plain ? detectEnd(rules) : detectTrigger(tokenizer, rules),
        answerDetector: detectAnswer(tokenizer, rules),
        thinking: [],
        answer: [],
      });
    }
    prefixStart += prompt.length;
  });
  const columns = maxThinking + maxAnswer;
  const d = model.config.hiddenSize;
  return {
    model,
    request,
    scratch,
    slots,
    columns,
    cache: createKvCache(scratch, model.config, promptRows + slots.length * ownRows),
    tokens: scratch.u32([slots.length, columns], "tokens"),
    stats: scratch.f32([slots.length, columns, 4], "step stats"),
    hidden: lasting.f32(
      thinking.continuous ? [slots.length, Math.max(maxThinking, 1), d] : [1, 1, d],
      "hidden",
    ),
  };
}

/** Rows of tokens through all blocks; returns the outputs of the rows in `pick`. */
function prefill(state: State, ids: number[], runs: RowRun[], pick: number[]): Tensor {
  const { model, scratch } = state;
  const { gpu, config, params } = model;
  const d = config.hiddenSize;
  const picked = scratch.f32([pick.length, d], "prefill output");
  using temporary = gpu.arena.scratch();
  const index = temporary.u32([ids.length], "prefill ids");
  gpu.commands.upload(index, Uint32Array.from(ids));
  const pickIndex = temporary.u32([pick.length], "prefill pick");
  gpu.commands.upload(pickIndex, Uint32Array.from(pick));
  const x = temporary.f32([ids.length, d], "prefill rows");
  gather(gpu, params.embedding, index, x);
  const layout = uploadLayout(gpu, temporary, packRows(runs, gpu.subgroupSize));
  forwardCached(model, x, state.cache, { ...layout, shift: 0 });
  gather(gpu, x, pickIndex, picked);
  return picked;
}

function prefillPrompts(state: State): Tensor {
  const { prompts } = state.request;
  const lastRows: number[] = [];
  let row = 0;
  const runs = prompts.map((prompt): RowRun => {
    const run = { rows: prompt.length, prefixStart: 0, prefixLen: 0, ownStart: row, position: 0 };
    row += prompt.length;
    lastRows.push(row - 1);
    return run;
  });
  return prefill(state, prompts.flat(), runs, state.slots.map((slot) => lastRows[slot.prompt]));
}

function prefillForced(state: State): Tensor {
  const { slots, request: { rules } } = state;
  const ids: number[] = [];
  const pick: number[] = [];
  const runs = slots.map((slot): RowRun => {
    const forced = rules.forcedIds[slot.thinkingDetector.forced!];
    const position = slot.promptLength + slot.thinking.length;
    slot.base = position + forced.length;
    ids.push(...forced);
    pick.push(ids.length - 1);
    return {
      rows: forced.length,
      prefixStart: slot.prefixStart,
      prefixLen: slot.promptLength,
      ownStart: slot.ownStart,
      position,
    };
  });
  return prefill(state, ids, runs, pick);
}

interface Phase {
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
async function decode(state: State, x: Tensor, phase: Phase): Promise<void> {
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
function activate(state: State, slots: number[]): { slots: number[]; info: Tensor; rowMeta: Tensor } {
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

async function collect(state: State): Promise<Rollout[]> {
  const { columns, slots, request } = state;
  const { rules } = request;
  const stats = new Float32Array(await state.model.gpu.reader.read(state.stats));
  const part = (slot: number, first: number, steps: number): StepStats => {
    const pick = (field: number) =>
      Float32Array.from({ length: steps }, (_, t) => stats[(slot * columns + first + t) * 4 + field]);
    return { logp: pick(0), entropy: pick(1), gap: pick(2) };
  };
  return slots.map((slot, index): Rollout => {
    const forcedKind = slot.thinkingDetector.forced!;
    return {
      prompt: slot.prompt,
      slot: index,
      thinking: slot.thinking,
      thinkingEnd: slot.thinkingDetector.ended!,
      forced: request.plain ? [] : rules.forcedIds[forcedKind],
      forcedKind,
      answer: slot.answer,
      answerEnd: slot.answerDetector.ended ?? "limit",
      thinkingStats: part(index, 0, slot.thinking.length),
      answerStats: part(index, rules.maxThinking, slot.answer.length),
    };
  });
}
