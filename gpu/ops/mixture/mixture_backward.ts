import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import mixtureCode from "./mixture.wgsl" with { type: "text" };

/**
 * The softmax's backward at the mixture (method section 3, point 4): z [rows, width] becomes p, u = g E^T becomes
 * dL/dz, bounded to norm `clip` where that is positive. stats f32 [rows, 4] = (norm before clipping, top-two gap, most probable token, 0).
 */
export function mixtureBackward(
  gpu: Gpu,
  z: Tensor,
  u: Tensor,
  vocab: number,
  tau: number,
  clip: number,
  stats: Tensor,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  expectShape("mixture_backward", u, z.shape);
  expectShape("mixture_backward", stats, [rows, 4]);
  run(gpu, vocabularyKernel("mixture_backward", vocab, () => mixtureCode), [z, u, stats], {
    rows,
    vocab,
    ldz,
    tau,
    clip,
  }, grid(rows));
}
