import type { Gpu } from "../gpu.ts";
import { createMatrix, downloadMatrix, freeMatrix, type Matrix } from "../matrix.ts";
import { matmulNN, matmulTN } from "../ops/matmul/matmul.ts";
import { uploadRows } from "../ops/repack/upload_rows.ts";
import { errorOf } from "./error_of.ts";
import { number } from "./matmul_error.ts";

/**
 * Tries the products of the backward pass, with f32 weights: dx = dy W and dW = dy^T x, of dy [m, n], W [n, k] and x [m, k].
 * @returns the larger of their normalised mean squared errors against f64; NaN where they have no numbers
 */
export async function gradientProductsError(
  gpu: Gpu,
  [m, k, n]: readonly [number, number, number],
): Promise<number> {
  using scratch = gpu.arena.scratch();
  const put = (rows: number, cols: number, first: number) => {
    const data = Float32Array.from({ length: rows * cols }, (_, i) => number(first + i));
    const tensor = scratch.f32([rows, cols], `self test ${first}`);
    gpu.commands.upload(tensor, data);
    return { data, tensor };
  };
  const [dy, x] = [put(m, n, 0), put(m, k, 9000)];
  const w = Float32Array.from({ length: n * k }, (_, i) => number(5000 + i));
  const matrix = (label: string): Matrix => createMatrix(gpu, n, k, "f32", label);
  const [weight, grad] = [matrix("self test weight"), matrix("self test gradient")];
  uploadRows(gpu, weight, 0, w);
  const dx = scratch.f32([m, k], "self test dx");
  matmulNN(gpu, dy.tensor, weight, dx);
  matmulTN(gpu, dy.tensor, x.tensor, grad);
  const found = [new Float32Array(await gpu.reader.read(dx)), await downloadMatrix(gpu, grad)];
  freeMatrix(gpu, weight);
  freeMatrix(gpu, grad);
  const sums = [new Float64Array(m * k), new Float64Array(n * k)];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const d = dy.data[i * n + j];
      for (let c = 0; c < k; c++) {
        sums[0][i * k + c] += d * w[j * k + c];
        sums[1][j * k + c] += d * x.data[i * k + c];
      }
    }
  }
  return Math.max(...sums.map((sum, i) => errorOf(found[i], sum)));
}
