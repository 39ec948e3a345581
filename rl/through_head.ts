import type { Scratch } from "../gpu/arena.ts";
import { addInto } from "../gpu/ops/elementwise/elementwise.ts";
import { segmentsOf, segmentSum } from "../gpu/ops/gather/gather.ts";
import { rowsOf, sizeOf, type Tensor } from "../gpu/tensor.ts";
import type { StepGradients } from "../model/thinking/thinking.ts";
import { headBackward, headChunkRows, logits } from "../model/transformer/head.ts";
import type { Gradients } from "../model/transformer/params.ts";
import { pickBackward, pickForward, pickRows } from "../model/transformer/picked_rows.ts";
import type { ForwardSaved, Model } from "../model/transformer/transformer.ts";

/** From logits z [count, V] of final-normed rows y [count, d], the `first` of all and those behind it, to the gradient for them. */
export type Score = (z: Tensor, first: number, count: number, scratch: Scratch, y: Tensor) => StepGradients;

/** The LM head over action rows, in chunks: `score` turns each chunk's logits into gradients. Adds to dx [rows, d] and grads. */
export function throughHead(
  model: Model,
  grads: Gradients,
  saved: ForwardSaved,
  rows: Uint32Array<ArrayBuffer>,
  dx: Tensor,
  score: Score,
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
    const found = score(logits(model, y, temporary), first, count, temporary, y);
    const to = rowsOf(dy, first, count);
    if (found.logits) headBackward(model, y, found.logits, grads, to);
    if (!found.hidden) continue;
    if (found.logits) addInto(gpu, to, found.hidden);
    else gpu.commands.copy(found.hidden, 0, to, 0, sizeOf(to.shape));
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
