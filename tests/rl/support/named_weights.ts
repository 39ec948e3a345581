/** Weights, gradients and moments as arrays by Hugging Face name. */
import { assert } from "@std/assert";
import type { Gpu } from "../../../gpu/gpu.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { namedTensors, type Trainable } from "../../../model/transformer/params.ts";

/** Fills parameters (or moments) from arrays by Hugging Face name. */
export function uploadNamed(
  gpu: Gpu,
  config: ModelConfig,
  params: Trainable,
  values: ReadonlyMap<string, ArrayLike<number>>,
): void {
  for (const { name, matrix, row } of namedTensors(config, params)) {
    const data = values.get(name);
    assert(data, `no values for ${name}`);
    uploadRows(gpu, matrix, row, Float32Array.from(data));
  }
}

/** Parameters, gradients or moments as arrays by Hugging Face name. */
export async function downloadNamed(
  gpu: Gpu,
  config: ModelConfig,
  params: Trainable,
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const found = new Map<string, Float32Array<ArrayBuffer>>();
  for (const { name, shape, matrix, row } of namedTensors(config, params)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const whole = await downloadMatrix(gpu, matrix);
    found.set(name, whole.slice(row * matrix.cols, row * matrix.cols + size));
  }
  return found;
}

/** sum |a - b|^2 / sum |b|^2 over all tensors. */
export function gradientError(
  actual: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, ArrayLike<number>>,
): number {
  let error = 0;
  let size = 0;
  for (const [name, theirs] of expected) {
    const ours = actual.get(name)!;
    assert(ours.length === theirs.length, `${name}: ${ours.length} and ${theirs.length} values`);
    for (let i = 0; i < theirs.length; i++) {
      error += (ours[i] - theirs[i]) ** 2;
      size += theirs[i] ** 2;
    }
  }
  return error === 0 ? 0 : error / size;
}
