import { assert } from "../../gpu/assert.ts";
import { gather, NO_ROW } from "../../gpu/ops/gather/gather.ts";
import { firstRows, type Tensor } from "../../gpu/tensor.ts";
import { logits } from "../transformer/head.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import { finalNorm, forwardCached } from "../transformer/transformer.ts";
import type { DecodeState } from "./decode_state.ts";
import type { Prefill } from "./prefill.ts";
import type { Sequence } from "./sequence.ts";
import { createStride, type Stride } from "./stride.ts";

/**
 * Gives the device the next stride of these sequences, answers before thinking, and asks for what it chooses. Sequences may be
 * anywhere: positions are each row's own.
 *
 * @param prefill of those that have no row yet; it is recorded first
 */
export function decode(state: DecodeState, sequences: readonly Sequence[], prefill: Prefill | null): Stride {
  const steps = decodeSteps(state, sequences, prefill);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, which stops after the prefill and after each step: some devices do what they are given before they return. */
export function* decodeSteps(
  state: DecodeState,
  sequences: readonly Sequence[],
  prefill: Prefill | null,
): Generator<void, Stride> {
  const { model: { gpu }, slots } = state;
  const stride = createStride(sequences, slots);
  // Uploads submit what is recorded, so they come first.
  const reorder = prepareOrder(state, sequences, prefill);
  uploadRows(state, sequences);
  prefill?.record();
  reorder();
  for (let t = 0; t < stride.steps; t++) {
    yield;
    decodeStep(state, sequences, t);
  }
  keepFed(state, sequences);
  for (const sequence of sequences) sequence.steps += stride.steps;
  return { ...stride, read: gpu.reader.start(packStride(state, sequences.length)) };
}

/**
 * Makes ready to put the rows of these sequences into this order, from where they were or from a prefill's outputs.
 *
 * @returns records it
 */
function prepareOrder(
  state: DecodeState,
  sequences: readonly Sequence[],
  prefill: Prefill | null,
): () => void {
  if (sequences.every(({ row }, i) => row === i)) return () => {};
  const { gpu } = state.model;
  const upload = (
    tensor: Tensor,
    rowOf: (sequence: Sequence) => number | null | undefined,
  ): Tensor => {
    gpu.commands.upload(tensor, Uint32Array.from(sequences, (sequence) => rowOf(sequence) ?? NO_ROW));
    return { ...tensor, shape: [sequences.length] };
  };
  for (const sequence of sequences) {
    assert(
      sequence.row !== null || prefill?.rows.has(sequence) === true,
      () => `Cannot decode sequence ${sequence.index}: it has no row yet, a prefill of it is needed`,
    );
  }
  const fromRows = sequences.some(({ row }) => row !== null)
    ? upload(state.fromRows, ({ row }) => row)
    : null;
  const fromPrefill = prefill ? upload(state.fromPrefill, (sequence) => prefill.rows.get(sequence)) : null;
  sequences.forEach((sequence, row) => sequence.row = row);
  return () => {
    const to = firstRows(state.spare, sequences.length);
    if (fromRows) gather(gpu, state.rows, fromRows, to);
    if (prefill && fromPrefill) gather(gpu, prefill.outputs, fromPrefill, to);
    [state.rows, state.spare] = [state.spare, state.rows];
  };
}

function uploadRows({ model: { gpu }, info, rowMeta }: DecodeState, sequences: readonly Sequence[]): void {
  const infos = new Uint32Array(sequences.length * 4);
  const metas = new Uint32Array(sequences.length * 4);
  sequences.forEach(({ rolloutId, prefix, prefixLen, slot, partStart, steps }, row) => {
    infos.set([row, rolloutId, 0, partStart + steps], row * 4);
    metas.set([prefix.start, prefixLen, slot.start, partStart + steps], row * 4);
  });
  gpu.commands.upload(info, infos);
  gpu.commands.upload(rowMeta, metas);
}

/** One step of each row: logits [rows, V], a choice that makes the next input row, and that row through the blocks. */
function decodeStep(state: DecodeState, sequences: readonly Sequence[], t: number): void {
  const { model } = state;
  const n = sequences.length;
  using temporary = model.gpu.arena.scratch();
  const rows = firstRows(state.rows, n);
  const y = temporary.f32([n, model.config.hiddenSize], "normed");
  finalNorm(model, rows, y, temporary.f32([n], "rinv"));
  const z = logits(model, y, temporary);
  state.takeStep(state, sequences, { y, z, temporary, t });
  const longest = Math.max(...sequences.map(({ partStart, steps }) => partStart + steps)) + STRIDE;
  forwardCached(model, rows, state.cache, { rowMeta: firstRows(state.rowMeta, n), shift: t, longest });
}

/** Rows that are wanted again, of as many rollouts as there is room for, each to its own; what a stride computes past the most steps is left out. */
function keepFed({ model: { gpu, config }, fed, hidden }: DecodeState, sequences: readonly Sequence[]): void {
  if (!hidden) return;
  const d = config.hiddenSize;
  sequences.forEach(({ part, index, steps, maxSteps }, row) => {
    if (part === "answer" || index >= hidden.shape[0]) return;
    const count = Math.min(STRIDE, maxSteps - steps);
    gpu.commands.copy(fed, row * STRIDE * d, hidden, (index * maxSteps + steps) * d, count * d);
  });
}

/** Tokens and statistics of n rows in one piece, in the order in which `readStride` finds them: answers, then thinking. */
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
