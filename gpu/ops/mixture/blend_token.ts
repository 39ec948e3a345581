import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import code from "./blend_token.wgsl" with { type: "text" };

/**
 * Mixture of inputs (arXiv 2505.14827): weights p [rows, width], as `choose` makes them, and a drawn token [rows] of each become
 * H (p + beta 1_y) / (1 + beta) + (1 - H) 1_y, H the entropy of p in units of its largest.
 */
export function blendToken(gpu: Gpu, weights: Tensor, vocab: number, token: Tensor, beta: number): void {
  const { rows, cols: ldz } = asMatrix(weights);
  expectShape("blend token", token, [rows]);
  const kernel = vocabularyKernel("blend_token", vocab, () => code);
  run(gpu, kernel, [weights, token], { rows, vocab, ldz, beta }, grid(rows));
}
