import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import adamCode from "./adamw.wgsl" with { type: "text" };
import squaresCode from "./sum_squares.wgsl" with { type: "text" };

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

/** weight, first and second moment, updated in place from grad; all of one shape. norm f32 [1]: {@link globalNorm}. */
export function adamW(
  gpu: Gpu,
  grad: Matrix,
  norm: Tensor,
  weight: Matrix,
  first: Matrix,
  second: Matrix,
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

// Values that one workgroup sums: 1,024 for each of its 64 lanes.
const BLOCK = 64 * 1024;

/** norm[1] = the Euclidean norm of all values of all matrices, summed in fixed order. */
export function globalNorm(gpu: Gpu, matrices: readonly Matrix[], norm: Tensor): void {
  const kernel = { label: "sum_squares", code: () => squaresCode };
  const chunks = matrices.flatMap((matrix) => matrix.chunks);
  const blocks = chunks.map((chunk) => Math.ceil(sizeOf(chunk.shape) / BLOCK));
  const count = blocks.reduce((sum, n) => sum + n, 0);
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([count], "norm partial");
  let offset = 0;
  chunks.forEach((chunk, i) => {
    const params = { n: sizeOf(chunk.shape), block: BLOCK, offset, plain: 0, root: 0 };
    run(gpu, kernel, [chunk, partial], params, [blocks[i]]);
    offset += blocks[i];
  });
  run(gpu, kernel, [partial, norm], { n: count, block: count, offset: 0, plain: 1, root: 1 }, [1]);
}
