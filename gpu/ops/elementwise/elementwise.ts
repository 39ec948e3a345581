import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { show, sizeOf, type Tensor } from "../../tensor.ts";
import addCode from "./add.wgsl" with { type: "text" };
import castCode from "./cast.wgsl" with { type: "text" };

/** x += y, where y has x's shape or is one row of it (a bias). */
export function addInto(gpu: Gpu, x: Tensor, y: Tensor): void {
  const n = sizeOf(x.shape);
  const width = sizeOf(y.shape);
  if (n % width !== 0) throw new Error(`Cannot add ${show(y)} to ${show(x)}: sizes do not divide`);
  run(gpu, { label: "add", code: () => addCode }, [y, x], { n, width }, grid(Math.ceil(n / 64)));
}

/** Rounds a f32 matrix into a packed f16 one of the same shape; their chunks may differ. */
export function castToHalf(gpu: Gpu, from: Matrix, to: Matrix): void {
  if (from.rows !== to.rows || from.cols !== to.cols || from.cols % 2 !== 0) {
    throw new Error(`Cannot cast ${from.label}[${from.rows}, ${from.cols}]: shapes differ or an odd width`);
  }
  // f16 chunks hold a different number of rows: walk both row by row.
  for (let row = 0; row < from.rows;) {
    const a = Math.floor(row / from.chunkRows);
    const b = Math.floor(row / to.chunkRows);
    const rows = Math.min((a + 1) * from.chunkRows, (b + 1) * to.chunkRows, from.rows) - row;
    const words = rows * from.cols / 2;
    run(
      gpu,
      { label: "cast", code: () => castCode },
      [from.chunks[a], to.chunks[b]],
      {
        words,
        fromAt: row % from.chunkRows * from.cols,
        toAt: row % to.chunkRows * from.cols / 2,
      },
      grid(Math.ceil(words / 64)),
    );
    row += rows;
  }
}
