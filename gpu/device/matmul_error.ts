import type { Gpu } from "../gpu.ts";
import { createMatrix, freeMatrix, type WeightType } from "../matrix.ts";
import { uploadRows } from "../ops/repack/upload_rows.ts";
import { matmulNT } from "../ops/matmul/matmul.ts";
import { errorOf } from "./error_of.ts";

/** Numbers that f16 holds exactly, without a pattern that a wrong tile could repeat. */
export const number = (i: number): number => Math.f16round(Math.sin(1 + i * 0.7) * 0.5);

/**
 * Tries the product of [m, k] by weights [n, k] of a type.
 * @returns its normalised mean squared error against f64; NaN where it has no numbers
 */
export async function matmulError(
  gpu: Gpu,
  [m, k, n]: readonly [number, number, number],
  dtype: WeightType,
): Promise<number> {
  const x = Float32Array.from({ length: m * k }, (_, i) => number(i));
  const w = Float32Array.from({ length: n * k }, (_, i) => number(i + 5000));
  const out = await multiply(gpu, x, w, [m, k, n], dtype);
  const expected = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += x[i * k + c] * w[j * k + c];
      expected[i * n + j] = sum;
    }
  }
  return errorOf(out, expected);
}

async function multiply(
  gpu: Gpu,
  x: Float32Array<ArrayBuffer>,
  w: Float32Array<ArrayBuffer>,
  [m, k, n]: readonly [number, number, number],
  dtype: WeightType,
): Promise<Float32Array> {
  using scratch = gpu.arena.scratch();
  const rows = scratch.f32([m, k], "self test rows");
  gpu.commands.upload(rows, x);
  const weight = createMatrix(gpu, n, k, dtype, "self test weight");
  uploadRows(gpu, weight, 0, w);
  const out = scratch.f32([m, n], "self test product");
  matmulNT(gpu, rows, weight, out);
  const bytes = await gpu.reader.read(out);
  freeMatrix(gpu, weight);
  return new Float32Array(bytes);
}
