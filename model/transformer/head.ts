import type { Scratch } from "../../gpu/arena.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { asMatrix, type Tensor } from "../../gpu/tensor.ts";
import type { Gradients } from "./params.ts";
import type { Model } from "./transformer.ts";

/** (tokens x V) never exists as a whole: logits are made for this many bytes at a time. */
const HEAD_CHUNK_BYTES = 32 * 1024 * 1024;

/** Rows of logits that are worked on at once: fixed by the model, so that results do not depend on the batch. */
export function headChunkRows(model: Model): number {
  const bytes = Math.min(HEAD_CHUNK_BYTES, model.gpu.maxBinding);
  // A multiple of 64 rows starts every chunk of the rows' own arrays at an address that can be bound.
  return Math.max(64, Math.floor(bytes / (model.config.vocabSize * 4) / 64) * 64);
}

/** z [rows, V] = y W^T, the logits of final-normed rows y [rows, d]. */
export function logits(model: Model, y: Tensor, scratch: Scratch): Tensor {
  const z = scratch.f32([asMatrix(y).rows, model.config.vocabSize], "logits");
  matmulNT(model.gpu, y, model.params.head, z);
  return z;
}

/** From dz [rows, V]: dW += dz^T y where the head trains, and dy [rows, d] = dz W. */
export function headBackward(model: Model, y: Tensor, dz: Tensor, grads: Gradients, dy: Tensor): void {
  matmulNN(model.gpu, dz, model.params.head, dy);
  if (grads.head) matmulTN(model.gpu, dz, y, grads.head, { accumulate: true });
}
