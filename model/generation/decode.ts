import type { Scratch } from "../../gpu/arena.ts";
import { gather, NO_ROW } from "../../gpu/ops/gather/gather.ts";
import { firstRows, type Tensor } from "../../gpu/tensor.ts";
import { logits } from "../transformer/head.ts";
import { type KvCache, STRIDE } from "../transformer/kv_cache.ts";
import type { GenerationSettings, Part } from "./rollout.ts";
import type { RolloutWork } from "./sequence.ts";
import type { StepInput, Thinking } from "../thinking/thinking.ts";
import { finalNorm, forwardCached, type Model } from "../transformer/transformer.ts";

/** Tensors of the rows that are decoded, made once: row r of each belongs to the r-th rollout of the stride at work. */
export interface DecodeState {
  model: Model;
  cache: KvCache;
  settings: GenerationSettings;
  answering: Thinking;
  /** Outputs of the last block [slots, d], which predict the next step; and a place to put them in another order. */
  rows: Tensor;
  spare: Tensor;
  /** u32 [slots, 4]. */
  info: Tensor;
  rowMeta: Tensor;
  /** u32 [slots]: where each row of a new order comes from, among the old rows and among those that enter. */
  stay: Tensor;
  enter: Tensor;
  /** What one stride chose, by part: u32 and f32 [slots, STRIDE], [slots, STRIDE, 4]. */
  thinking: PartRecord;
  answer: PartRecord;
  /** All of it in one piece, for one read. */
  packed: Tensor;
  /** [slots, STRIDE, d]: rows that a stride's continuous thinking fed. */
  fed: Tensor;
  /** [rollouts, steps, d]: where they are kept, if they are. */
  hidden?: Tensor;
}

interface PartRecord {
  tokens: Tensor;
  stats: Tensor;
}

/** Where one rollout's own rows begin. */
export type OwnStart = (work: RolloutWork) => number;

/** Whose row of a stride it is: the rollout's part, and which beginning of it. */
export interface StrideRow {
  work: RolloutWork;
  part: Part;
  turn: number;
}

/** A stride on its way: whose rows, how many steps, and its tokens when they have come. */
export interface Stride {
  rows: StrideRow[];
  steps: number;
  read(): Promise<ArrayBuffer>;
}

/** Tensors for at most `slots` rollouts at once. */
export function openDecoding(
  parts: Pick<DecodeState, "model" | "cache" | "settings" | "answering" | "hidden">,
  slots: number,
  scratch: Scratch,
): DecodeState {
  const d = parts.model.config.hiddenSize;
  const record = (part: Part): PartRecord => ({
    tokens: scratch.u32([slots, STRIDE], `${part} tokens`),
    stats: scratch.f32([slots, STRIDE, 4], `${part} stats`),
  });
  const thinking = record("thinking");
  return {
    ...parts,
    rows: scratch.f32([slots, d], "rows"),
    spare: scratch.f32([slots, d], "rows in their old order"),
    info: scratch.u32([slots, 4], "row info"),
    rowMeta: scratch.u32([slots, 4], "row meta"),
    stay: scratch.u32([slots], "rows that stay"),
    enter: scratch.u32([slots], "rows that enter"),
    thinking,
    answer: isAlike(parts) ? thinking : record("answer"),
    packed: scratch.f32([slots * STRIDE * 10], "stride"),
    fed: scratch.f32(parts.settings.thinking.continuous ? [slots, STRIDE, d] : [1], "rows fed"),
  };
}

/** Whether thinking takes the very steps that answers take: one kernel then serves both. */
const isAlike = (
  { settings: { thinking }, answering }: Pick<DecodeState, "settings" | "answering">,
): boolean => thinking.name === answering.name && thinking.tau === answering.tau;

/** Rollouts that have no row yet: outputs of the last block [rows, d] that predict their first step, once it is recorded. */
export interface Entering {
  outputs: Tensor;
  /** Whose output each row is. */
  rows: ReadonlyMap<RolloutWork, number>;
  record(): void;
}

/**
 * Makes ready to put the rows of these rollouts into this order, from where they were or from those that enter.
 * @returns records it
 */
function prepareOrder(
  state: DecodeState,
  works: readonly RolloutWork[],
  entering: Entering | null,
): () => void {
  if (works.every(({ row }, i) => row === i)) return () => {};
  const { gpu } = state.model;
  const upload = (tensor: Tensor, rowOf: (work: RolloutWork) => number | null | undefined): Tensor => {
    gpu.commands.upload(tensor, Uint32Array.from(works, (work) => rowOf(work) ?? NO_ROW));
    return { ...tensor, shape: [works.length] };
  };
  const stay = works.some(({ row }) => row !== null) ? upload(state.stay, ({ row }) => row) : null;
  const enter = entering ? upload(state.enter, (work) => entering.rows.get(work)) : null;
  works.forEach((work, row) => work.row = row);
  return () => {
    const to = firstRows(state.spare, works.length);
    if (stay) gather(gpu, state.rows, stay, to);
    if (entering && enter) gather(gpu, entering.outputs, enter, to);
    [state.rows, state.spare] = [state.spare, state.rows];
  };
}

/**
 * Gives the device the next steps of these rollouts, whose answers stand before all thinking, and asks for what they choose.
 * Rollouts may be anywhere: positions are each row's own.
 */
export function decodeStride(
  state: DecodeState,
  works: readonly RolloutWork[],
  entering: Entering | null,
  ownStart: OwnStart,
): Stride {
  const { model: { gpu } } = state;
  const answers = isAlike(state) ? 0 : works.findLastIndex(({ part }) => part === "answer") + 1;
  const steps = Math.min(STRIDE, Math.max(...works.map(({ done, limit }) => limit - done)));
  // Uploads submit what is recorded, so they come first.
  const order = prepareOrder(state, works, entering);
  uploadRows(state, works, ownStart);
  entering?.record();
  order();
  for (let t = 0; t < steps; t++) decodeStep(state, works, answers, t);
  keepFed(state, works);
  const rows = works.map((work) => ({ work, part: work.part, turn: work.turn }));
  for (const work of works) work.done += steps;
  const packed = packStride(state, works.length);
  return { rows, steps, read: gpu.reader.start(packed) };
}

function uploadRows(
  { model: { gpu }, info, rowMeta }: DecodeState,
  works: readonly RolloutWork[],
  ownStart: OwnStart,
) {
  const infos = new Uint32Array(works.length * 4);
  const metas = new Uint32Array(works.length * 4);
  works.forEach((work, row) => {
    const { rollout, prefix, base, done } = work;
    infos.set([row, rollout, 0, base + done], row * 4);
    metas.set([prefix.start, prefix.ids.length, ownStart(work), base + done], row * 4);
  });
  gpu.commands.upload(info, infos);
  gpu.commands.upload(rowMeta, metas);
}

function decodeStep(state: DecodeState, works: readonly RolloutWork[], answers: number, t: number): void {
  const { model, settings } = state;
  const { gpu, config } = model;
  const n = works.length;
  using temporary = gpu.arena.scratch();
  const rows = firstRows(state.rows, n);
  const y = temporary.f32([n, config.hiddenSize], "normed");
  finalNorm(model, rows, y, temporary.f32([n], "rinv"));
  const z = logits(model, y, temporary);
  const chosen = temporary.u32([n], "chosen");
  const input = (count: number, { tokens, stats }: PartRecord, chosen: Tensor): StepInput => ({
    model,
    z: firstRows(z, count),
    info: firstRows(state.info, count),
    shift: t,
    record: { tokens, stats, column: t },
    chosen: { ...chosen, shape: [count] },
    next: firstRows(state.rows, count),
    hidden: state.fed,
    seed: settings.seed,
    step: settings.step,
  });
  // Thinking may overwrite the logits, so answers come first; it takes all rows, since views of others may not begin anywhere.
  if (answers > 0) state.answering.step(input(answers, state.answer, chosen));
  if (answers < n) {
    const shadows = answers > 0 ? temporary.u32([n], "shadows") : chosen;
    settings.thinking.step(input(n, state.thinking, shadows));
    if (answers > 0) {
      gather(gpu, model.params.embedding, { ...chosen, shape: [answers] }, firstRows(state.rows, answers));
    }
  }
  settings.onStep?.({
    rows: works.map(({ slot, part, done }) => ({ slot, part, index: done + t })),
    z,
  });
  forwardCached(model, rows, state.cache, { rowMeta: firstRows(state.rowMeta, n), shift: t });
}

/** Rows that training wants again, each rollout's to its place; what a stride computes past the limit is left out. */
function keepFed({ model: { gpu, config }, fed, hidden }: DecodeState, works: readonly RolloutWork[]): void {
  if (!hidden) return;
  const d = config.hiddenSize;
  works.forEach(({ part, slot, done, limit }, row) => {
    if (part === "answer") return;
    const count = Math.min(STRIDE, limit - done);
    gpu.commands.copy(fed, row * STRIDE * d, hidden, (slot * limit + done) * d, count * d);
  });
}

/** Tokens and statistics of n rows in one piece: answers, then thinking. */
function packStride({ model: { gpu }, packed, answer, thinking }: DecodeState, n: number): Tensor {
  const size = n * STRIDE;
  let at = 0;
  const put = (from: Tensor, count: number) => {
    gpu.commands.copy(from, 0, packed, at, count);
    at += count;
  };
  for (const { tokens, stats } of [answer, thinking]) {
    put(tokens, size);
    put(stats, size * 4);
  }
  return { ...packed, shape: [at] };
}

/** What one step chose. */
export interface Chosen {
  id: number;
  logp: number;
  entropy: number;
  gap: number;
}

/** Tells each row's steps in order, until `take` says that the row has ended. */
export function readStride(
  { rows, steps }: Stride,
  bytes: ArrayBuffer,
  take: (row: number, chosen: Chosen) => boolean,
): void {
  const size = rows.length * STRIDE;
  const words = new Uint32Array(bytes);
  const floats = new Float32Array(bytes);
  rows.forEach(({ part }, row) => {
    const from = part === "answer" ? 0 : size * 5;
    for (let t = 0; t < steps; t++) {
      const at = row * STRIDE + t;
      const stats = from + size + at * 4;
      const chosen = {
        id: words[from + at],
        logp: floats[stats],
        entropy: floats[stats + 1],
        gap: floats[stats + 2],
      };
      if (take(row, chosen)) return;
    }
  });
}
