import type { Gpu } from "../../gpu.ts";
import type { Matrix } from "../../matrix.ts";
import { isQuantised } from "../../quantised.ts";
import type { Tensor } from "../../tensor.ts";
import { halfRows } from "./half_rows.ts";

// Rows of f16 wait on the device, one after another, for as long as one dispatch.
const PIECE = 8 * 1024 * 1024;

/**
 * Writes f32 rows, converted to the matrix's type, or f16 rows to a matrix of f16, starting at `row`.
 * @throws Error if the matrix is quantised, or f16 is written to another type
 */
export function uploadRows(
  gpu: Gpu,
  matrix: Matrix,
  row: number,
  data: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>,
): void {
  const { cols, chunkRows, chunks, dtype, label } = matrix;
  if (isQuantised(dtype)) {
    throw new Error(`Cannot write numbers to ${label}: it is ${dtype}, written by its blocks`);
  }
  if (data instanceof Float16Array && dtype !== "f16") {
    throw new Error(`Cannot write f16 to ${label}: it is ${dtype}`);
  }
  const most = dtype === "f16"
    ? Math.max(1, Math.floor(Math.min(PIECE, gpu.maxBinding) / (2 * cols)))
    : Infinity;
  const rows = data.length / cols;
  for (let done = 0; done < rows;) {
    const at = (row + done) % chunkRows;
    const chunk = chunks[Math.floor((row + done) / chunkRows)];
    const count = Math.min(most, chunkRows - at, rows - done);
    const part = data.subarray(done * cols, (done + count) * cols);
    if (dtype === "f16") uploadHalves(gpu, part, cols, chunk, at);
    else gpu.commands.upload(chunk, part, at * cols);
    done += count;
  }
}

/** Rows to a chunk of f16 from its row `at` on; they are rounded here, and put into order on the device. */
function uploadHalves(
  gpu: Gpu,
  part: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>,
  cols: number,
  chunk: Tensor,
  at: number,
): void {
  // writeBuffer wants multiples of 4 bytes.
  const words = Math.ceil(part.length / 2);
  const even = part.length % 2 === 0 && part instanceof Float16Array ? part : new Float16Array(2 * words);
  if (even !== part) even.set(part);
  using scratch = gpu.arena.scratch();
  const tensor = scratch.u32([words], "rows of f16");
  gpu.commands.upload(tensor, even);
  halfRows(gpu, { tensor, type: "f16", first: 0, cols }, chunk, at, part.length / cols);
}
