import type { Gpu } from "../../gpu.ts";
import type { Matrix } from "../../matrix.ts";
import { halfRows } from "./half_rows.ts";

/** Rounds a f32 matrix into a f16 one of the same shape; their chunks may differ. */
export function castToHalf(gpu: Gpu, from: Matrix, to: Matrix): void {
  const { rows, cols } = from;
  if (to.rows !== rows || to.cols !== cols || from.dtype !== "f32" || to.dtype !== "f16") {
    throw new Error(
      `Cannot cast ${from.label}[${rows}, ${cols}] to ${to.label}[${to.rows}, ${to.cols}] in ${to.dtype}`,
    );
  }
  for (let row = 0; row < rows;) {
    const [a, b] = [from, to].map(({ chunkRows }) => Math.floor(row / chunkRows));
    const count = Math.min((a + 1) * from.chunkRows, (b + 1) * to.chunkRows, rows) - row;
    const source = { tensor: from.chunks[a], type: "f32", first: row % from.chunkRows * cols, cols } as const;
    halfRows(gpu, source, to.chunks[b], row % to.chunkRows, count);
    row += count;
  }
}
