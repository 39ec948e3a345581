import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import adamCode from "./adamw.wgsl" with { type: "text" };

/** Settings of one AdamW step; `step` counts from 1. */
interface AdamWSettings {
  lr: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** Bound on the global gradient norm; 0 for none. */
  clip: number;
  step: number;
}

/** A matrix, or parts of some. */
type Chunks = Pick<Matrix, "chunks">;

/** weight, first and second moment, updated in place from grad; all of one shape. norm f32 [1]: that of all gradients, as `globalNorm` makes it. */
export function adamW(
  gpu: Gpu,
  grad: Chunks,
  norm: Tensor,
  weight: Chunks,
  first: Chunks,
  second: Chunks,
  settings: AdamWSettings,
): void {
  const { lr, beta1, beta2, eps, weightDecay, clip, step } = settings;
  weight.chunks.forEach((chunk, i) => {
    const size = sizeOf(chunk.shape);
    const [width, type] = size % 4 === 0 ? [4, "vec4<f32>"] : [1, "f32"];
    const n = size / width;
    run(
      gpu,
      { label: `adamw_${width}`, code: () => `alias V = ${type};\n${adamCode}` },
      [grad.chunks[i], norm, chunk, first.chunks[i], second.chunks[i]],
      {
        n,
        lr,
        beta1,
        beta2,
        eps,
        decay: lr * weightDecay,
        correct1: 1 - beta1 ** step,
        correct2: 1 - beta2 ** step,
        clip,
      },
      grid(Math.ceil(n / 64)),
    );
  });
}
