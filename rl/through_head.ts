import type { Scratch } from "../gpu/arena.ts";
import { segmentsOf, segmentSum } from "../gpu/ops/gather/gather.ts";
import { rowsOf, type Tensor } from "../gpu/tensor.ts";
import { headBackward, headChunkRows, logits } from "../model/transformer/head.ts";
import type { Gradients } from "../model/transformer/params.ts";
import { pickBackward, pickForward, pickRows } from "../model/transformer/picked_rows.ts";
import type { ForwardSaved, Model } from "../model/transformer/transformer.ts";

/**
 * The LM head over action rows, in chunks: `score` turns each chunk's logits into dL/dz. Adds to dx [rows, d] and grads.
 */
export function throughHead(
  model: Model,
  grads: Gradients,
  saved: ForwardSaved,
  rows: Uint32Array<ArrayBuffer>,
  dx: Tensor,
  score: (z: Tensor, first: number, count: number, scratch: Scratch) => Tensor,
): void {
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const picked = pickRows(gpu, scratch, rows);
  const input = pickForward(model, saved.output, picked, scratch);
  const dy = scratch.f32([rows.length, config.hiddenSize], "d head y");
  const chunk = headChunkRows(model);
  for (let first = 0; first < rows.length; first += chunk) {
    using temporary = gpu.arena.scratch();
    const count = Math.min(chunk, rows.length - first);
    const y = rowsOf(input.y, first, count);
    const dz = score(logits(model, y, temporary), first, count, temporary);
    headBackward(model, y, dz, grads, rowsOf(dy, first, count));
  }
  pickBackward(model, input, picked, dy, grads, dx);
}

/** Adds to `embedding`'s gradient, where it trains, the look-up's part: dx of every row that was a token. */
export function embeddingBackward(
  model: Model,
  grads: Gradients,
  ids: Uint32Array<ArrayBuffer>,
  dx: Tensor,
): void {
  if (!grads.embedding) return;
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const by = segmentsOf(ids);
  const segments = scratch.u32([by.segments.length / 4, 4], "embedding segments");
  gpu.commands.upload(segments, by.segments);
  segmentSum(gpu, dx, { segments, list: uploadWords(model, scratch, by.list) }, grads.embedding);
}

/** Puts words on the device for the length of a scope. */
export function uploadWords(model: Model, scratch: Scratch, data: Uint32Array<ArrayBuffer>): Tensor {
  const tensor = scratch.u32([data.length], "words");
  model.gpu.commands.upload(tensor, data);
  return tensor;
}
