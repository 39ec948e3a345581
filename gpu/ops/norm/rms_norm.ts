import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { columnSum, rowBlock } from "../reduce/column_sum.ts";
import { normLanes, suitsNormLanes } from "./norm_lanes.ts";
import { normBackwardVec8, normVec8, suitsNormVec8 } from "./rms_norm_vec8.ts";
import { vectorLabel, vectorPrelude } from "../wgsl/vector_prelude.ts";
import forwardBindings from "./rms_norm_bindings.wgsl" with { type: "text" };
import backwardBindings from "./rms_norm_backward_bindings.wgsl" with { type: "text" };
import forward from "./rms_norm.wgsl" with { type: "text" };
import backward from "./rms_norm_backward.wgsl" with { type: "text" };
import weightGrad from "./rms_norm_weight.wgsl" with { type: "text" };

const ROWS = 4;

/** out = x / rms(x) * weight for each row. x, out [rows, d]; weight [d]; rinv [rows] is kept for the backward pass. */
export function rmsNorm(gpu: Gpu, x: Tensor, weight: Tensor, out: Tensor, rinv: Tensor, eps: number): void {
  const { rows, cols: d } = asMatrix(x);
  expectShape("rms_norm", weight, [d]);
  expectShape("rms_norm", out, x.shape);
  if (suitsNormVec8(gpu, d)) return normVec8(gpu, x, weight, out, rinv, eps);
  if (suitsNormLanes(gpu, d)) return normLanes(gpu, x, weight, out, rinv, eps);
  const vector = d % 4 === 0;
  run(
    gpu,
    {
      label: vectorLabel("rms_norm", vector),
      code: () => vectorPrelude(vector, gpu.subgroupSize) + forwardBindings + forward,
    },
    [x, weight, out, rinv],
    { rows, d, eps },
    grid(Math.ceil(rows / ROWS)),
  );
}

/**
 * dx (+)= the gradient of {@link rmsNorm} with respect to x, and dweight [d], if given, += that with respect to the weight;
 * dy, dx [rows, d].
 */
export function rmsNormBackward(
  gpu: Gpu,
  x: Tensor,
  weight: Tensor,
  rinv: Tensor,
  dy: Tensor,
  dx: Tensor,
  accumulate: boolean,
  dweight?: Tensor,
): void {
  const { rows, cols: d } = asMatrix(x);
  expectShape("rms_norm_backward", dy, x.shape);
  expectShape("rms_norm_backward", dx, x.shape);
  const vector = d % 4 === 0;
  const prelude = vectorPrelude(vector, gpu.subgroupSize);
  const vec8 = suitsNormVec8(gpu, d);
  const tensors = { x, weight, rinv, dy, dx };
  if (dweight) {
    const block = rowBlock(rows);
    const blocks = Math.ceil(rows / block);
    using scratch = gpu.arena.scratch();
    const partial = scratch.f32([blocks, d], "rms_norm_weight partial");
    if (vec8) normBackwardVec8(gpu, tensors, accumulate, { partial, block });
    else {
      const source = { label: vectorLabel("rms_norm_weight", vector), code: () => prelude + weightGrad };
      const columns = Math.ceil(d / (vector ? 4 : 1) / gpu.subgroupSize);
      run(gpu, source, [x, rinv, dy, partial], { rows, d, block }, [columns, blocks]);
    }
    columnSum(gpu, partial, dweight, true);
    if (vec8) return;
  } else if (vec8) return normBackwardVec8(gpu, tensors, accumulate);
  run(
    gpu,
    { label: vectorLabel("rms_norm_backward", vector), code: () => prelude + backwardBindings + backward },
    [x, weight, rinv, dy, dx],
    { rows, d, accumulate: accumulate ? 1 : 0 },
    grid(Math.ceil(rows / ROWS)),
  );
}
