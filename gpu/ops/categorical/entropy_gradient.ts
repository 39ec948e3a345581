import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import code from "./entropy_gradient.wgsl" with { type: "text" };

/**
 * Logits z [rows, width] become the gradient of -factor H for them, H the entropy of softmax(z) in nats: factor p (ln p + H).
 * @param vocab columns that are real tokens; the others become 0
 */
export function entropyGradient(gpu: Gpu, z: Tensor, vocab: number, factor: number): void {
  const { rows, cols: ldz } = asMatrix(z);
  const kernel = vocabularyKernel("entropy_gradient", vocab, () => code);
  run(gpu, kernel, [z], { rows, vocab, ldz, factor }, grid(rows));
}
