import type { Gpu } from "../../gpu/gpu.ts";
import type { Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { matricesOf } from "../../model/transformer/params.ts";
import { createModel, type Model } from "../../model/transformer/transformer.ts";
import { randomArray } from "../reference/support.ts";

const PIECE = 2 ** 20;

/**
 * A model of random weights in seconds, however large: pieces of the same million normal numbers again and again. Speeds depend
 * on shapes alone, and the numbers stay finite.
 *
 * @param dtype of the large matrices
 */
export function quickModel(gpu: Gpu, config: ModelConfig, dtype: "f32" | "f16"): Model {
  const model = createModel(gpu, config, dtype);
  const piece = Float32Array.from(randomArray(0, PIECE));
  for (const matrix of matricesOf(model.params)) fill(gpu, matrix, piece);
  return model;
}

function fill(gpu: Gpu, matrix: Matrix, piece: Float32Array): void {
  const { rows, cols, dtype } = matrix;
  const isVector = rows === 1 || cols === 1;
  const count = Math.max(1, Math.floor(PIECE / cols));
  const scaled = isVector
    ? new Float32Array(rows * cols).fill(rows === 1 ? 1 : 0)
    : piece.slice(0, count * cols).map((value) => value * 0.5 / Math.sqrt(cols));
  const data = dtype === "f16" ? new Float16Array(scaled) : scaled;
  for (let row = 0; row < rows; row += count) {
    uploadRows(gpu, matrix, row, data.subarray(0, Math.min(count, rows - row) * cols));
  }
}
