import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import code from "./divergence.wgsl" with { type: "text" };

/**
 * kl[rows] = KL(p || q) in nats, p = softmax(z / tau) and q = softmax(base / tau), row by row; exactly 0 where the rows are equal.
 * @param z logits [rows, width]
 * @param base logits of the same shape
 * @param vocab columns that are real tokens
 */
export function divergence(gpu: Gpu, z: Tensor, base: Tensor, vocab: number, tau: number, kl: Tensor): void {
  const { rows, cols: ldz } = asMatrix(z);
  expectShape("divergence", base, z.shape);
  expectShape("divergence", kl, [rows]);
  const kernel = vocabularyKernel("divergence", vocab, () => code);
  run(gpu, kernel, [z, base, kl], { rows, vocab, ldz, tau }, grid(rows));
}
