import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import code from "./categorical.wgsl" with { type: "text" };

/**
 * logp[rows] = ln softmax(z / tau)[target]; with `backward`, z [rows, width] becomes weight * d logp / dz.
 * Cross-entropy is this with weight -1/N. Call it on chunks of rows: (tokens x V) never exists as a whole.
 * @param vocab columns that are real tokens
 */
export function categorical(
  gpu: Gpu,
  z: Tensor,
  vocab: number,
  tau: number,
  targets: Tensor,
  weights: Tensor,
  logp: Tensor,
  backward: boolean,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  for (const tensor of [targets, weights, logp]) expectShape("categorical", tensor, [rows]);
  run(gpu, vocabularyKernel("categorical", vocab, () => code), [z, targets, weights, logp], {
    rows,
    vocab,
    ldz,
    tau,
    backward: backward ? 1 : 0,
  }, grid(rows));
}
