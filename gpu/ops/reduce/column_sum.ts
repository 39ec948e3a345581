import type { Gpu } from "../../gpu.ts";
import { run } from "../../kernel.ts";
import { asMatrix, type Tensor } from "../../tensor.ts";
import { vectorLabel, vectorPrelude } from "../wgsl/vector_prelude.ts";
import code from "./column_sum.wgsl" with { type: "text" };

/** Rows that one invocation sums: about the square root, so that both stages stay short and within the loop limit. */
export const rowBlock = (rows: number): number => Math.max(16, Math.ceil(Math.sqrt(rows)));

// Rows that a GPU sums in one stage: less than what another dispatch would cost.
const ONE_STAGE = 64;

/** out[d] (+)= sum over the rows of x[rows, d], in two stages of fixed order. */
export function columnSum(gpu: Gpu, x: Tensor, out: Tensor, accumulate: boolean): void {
  const { rows, cols: d } = asMatrix(x);
  const vector = d % 4 === 0;
  const source = {
    label: vectorLabel("column_sum", vector),
    code: () => vectorPrelude(vector, gpu.subgroupSize) + code,
  };
  const columns = Math.ceil(d / (vector ? 4 : 1) / gpu.subgroupSize);
  const block = gpu.matmulFamily === "tile" && rows <= ONE_STAGE ? rows : rowBlock(rows);
  const blocks = Math.ceil(rows / block);
  if (blocks === 1) {
    return run(gpu, source, [x, out], { rows, d, block, accumulate: accumulate ? 1 : 0 }, [columns, 1]);
  }
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([blocks, d], "column_sum partial");
  run(gpu, source, [x, partial], { rows, d, block, accumulate: 0 }, [columns, blocks]);
  run(gpu, source, [partial, out], { rows: blocks, d, block: blocks, accumulate: accumulate ? 1 : 0 }, [
    columns,
    1,
  ]);
}
