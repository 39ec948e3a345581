import type { Gpu } from "../device.ts";
import { run } from "../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../tensor.ts";
import { variant, vectorPrelude } from "./vector.ts";
import forward from "./swiglu.wgsl" with { type: "text" };
import backward from "./swiglu_backward.wgsl" with { type: "text" };

/** Few rows are spread over many workgroups, many rows go several to one. */
const gridOf = (gpu: Gpu, rows: number, f: number, vector: boolean) => {
  const each = Math.min(64, Math.max(1, Math.floor(rows / 512)));
  const columns = Math.ceil(f / (vector ? 4 : 1) / (8 * gpu.subgroupSize));
  return { each, groups: [columns, Math.ceil(rows / each)] as [number, number] };
};

/** out = silu(gate) * up; x [rows, 2f] holds the gate's columns, then up's; out [rows, f]. */
export function swiglu(gpu: Gpu, x: Tensor, out: Tensor): void {
  const { rows, cols: f } = asMatrix(out);
  expectShape("swiglu", x, [rows, 2 * f]);
  const vector = f % 4 === 0;
  const { each, groups } = gridOf(gpu, rows, f, vector);
  run(
    gpu,
    { label: variant("swiglu", vector), code: () => vectorPrelude(vector, gpu.subgroupSize) + forward },
    [x, out],
    { rows, f, each },
    groups,
  );
}

/** dx [rows, 2f] = the gradient of {@link swiglu} for dout [rows, f]. */
export function swigluBackward(gpu: Gpu, x: Tensor, dout: Tensor, dx: Tensor): void {
  const { rows, cols: f } = asMatrix(dout);
  expectShape("swiglu_backward", x, [rows, 2 * f]);
  expectShape("swiglu_backward", dx, [rows, 2 * f]);
  const vector = f % 4 === 0;
  const { each, groups } = gridOf(gpu, rows, f, vector);
  run(
    gpu,
    {
      label: variant("swiglu_backward", vector),
      code: () => vectorPrelude(vector, gpu.subgroupSize) + backward,
    },
    [x, dout, dx],
    { rows, f, each },
    groups,
  );
}
