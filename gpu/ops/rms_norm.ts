import type { Gpu } from "../device.ts";
import { run, spread } from "../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../tensor.ts";
import { columnSum, rowBlock } from "./column_sum.ts";
import { variant, vectorPrelude } from "./vector.ts";
import forward from "./rms_norm.wgsl" with { type: "text" };
import backward from "./rms_norm_backward.wgsl" with { type: "text" };
import weightGrad from "./rms_norm_weight.wgsl" with { type: "text" };

const ROWS = 4;

/** out = x / rms(x) * weight for each row. x, out [rows, d]; weight [d]; rinv [rows] is kept for the backward pass. */
export function rmsNorm(gpu: Gpu, x: Tensor, weight: Tensor, out: Tensor, rinv: Tensor, eps: number): void {
  const { rows, cols: d } = asMatrix(x);
  expectShape("rms_norm", weight, [d]);
  expectShape("rms_norm", out, x.shape);
  const vector = d % 4 === 0;
  run(
    gpu,
    { label: variant("rms_norm", vector), code: () => vectorPrelude(vector, gpu.subgroupSize) + forward },
    [x, weight, out, rinv],
    { rows, d, eps },
    spread(Math.ceil(rows / ROWS)),
  );
}

/** dx (+)= the gradient of {@link rmsNorm} with respect to x; dy, dx [rows, d]. */
export function rmsNormBackward(
  gpu: Gpu,
  x: Tensor,
  weight: Tensor,
  rinv: Tensor,
  dy: Tensor,
  dx: Tensor,
  accumulate: boolean,
): void {
  const { rows, cols: d } = asMatrix(x);
  expectShape("rms_norm_backward", dy, x.shape);
  expectShape("rms_norm_backward", dx, x.shape);
  const vector = d % 4 === 0;
  run(
    gpu,
    {
      label: variant("rms_norm_backward", vector),
      code: () => vectorPrelude(vector, gpu.subgroupSize) + backward,
    },
    [x, weight, rinv, dy, dx],
    { rows, d, accumulate: accumulate ? 1 : 0 },
    spread(Math.ceil(rows / ROWS)),
  );
}

/** dweight += the gradient of {@link rmsNorm} with respect to the weight [d]. */
export function rmsNormWeightGrad(gpu: Gpu, x: Tensor, rinv: Tensor, dy: Tensor, dweight: Tensor): void {
  const { rows, cols: d } = asMatrix(x);
  const vector = d % 4 === 0;
  const block = rowBlock(rows);
  const blocks = Math.ceil(rows / block);
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([blocks, d], "rms_norm_weight partial");
  run(
    gpu,
    {
      label: variant("rms_norm_weight", vector),
      code: () => vectorPrelude(vector, gpu.subgroupSize) + weightGrad,
    },
    [x, rinv, dy, partial],
    { rows, d, block },
    [Math.ceil(d / (vector ? 4 : 1) / gpu.subgroupSize), blocks],
  );
  columnSum(gpu, partial, dweight, true);
}
