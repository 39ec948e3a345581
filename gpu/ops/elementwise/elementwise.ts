import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { show, sizeOf, type Tensor } from "../../tensor.ts";
import addCode from "./add.wgsl" with { type: "text" };

/** x += y, where y has x's shape or is one row of it (a bias). */
export function addInto(gpu: Gpu, x: Tensor, y: Tensor): void {
  const n = sizeOf(x.shape);
  const width = sizeOf(y.shape);
  if (n % width !== 0) throw new Error(`Cannot add ${show(y)} to ${show(x)}: sizes do not divide`);
  run(gpu, { label: "add", code: () => addCode }, [y, x], { n, width }, grid(Math.ceil(n / 64)));
}
