/** What the tests of the GPU room share: one device a file, tensors with known contents, and comparisons. */
import { assert } from "@std/assert";
import type { Gpu } from "../../gpu/gpu.ts";
import { type GpuOptions, openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix, freeMatrix, type Matrix, type WeightType } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { normalisedMse, randomArray } from "../reference/support.ts";

/** Largest normalised squared error of an operation in f32 against the f64 reference. */
const F32_ERROR = 1e-7;

/** A device for the tests of one file; what a test makes is freed when it ends. */
export interface TestGpu {
  gpu: Gpu;
  f32(data: ArrayLike<number>, shape?: readonly number[]): Tensor;
  u32(data: ArrayLike<number>, shape?: readonly number[]): Tensor;
  /** Filled with a number no operation gives: results that are not written are found. */
  blank(...shape: number[]): Tensor;
  zeros(...shape: number[]): Tensor;
  matrix(data: Float64Array, rows: number, cols: number, dtype?: WeightType): Matrix;
  read(tensor: Tensor): Promise<Float32Array>;
  readU32(tensor: Tensor): Promise<Uint32Array>;
}

/** What {@link TestGpu.blank} holds. */
export const BLANK = -12345.75;

/** Opens the device of a test file and closes it after the file's last test. */
export async function openTestGpu(options: GpuOptions = {}): Promise<TestGpu> {
  const gpu = await openGpu(options);
  const tensors: Tensor[] = [];
  const matrices: Matrix[] = [];
  Deno.test.afterEach(() => {
    gpu.commands.flush();
    tensors.splice(0).forEach((tensor) => gpu.arena.free(tensor));
    matrices.splice(0).forEach((matrix) => freeMatrix(gpu, matrix));
  });
  Deno.test.afterAll(() => gpu.close());

  const put = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, shape: readonly number[]) => {
    if (data.length !== sizeOf(shape)) throw new Error(`${data.length} values for [${shape}]`);
    const dtype = data instanceof Uint32Array ? "u32" : "f32";
    const tensor = gpu.arena.create(shape, dtype, `test ${tensors.length}`);
    tensors.push(tensor);
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  return {
    gpu,
    f32: (data, shape) => put(Float32Array.from(data), shape ?? [data.length]),
    u32: (data, shape) => put(Uint32Array.from(data), shape ?? [data.length]),
    blank: (...shape) => put(new Float32Array(sizeOf(shape)).fill(BLANK), shape),
    zeros: (...shape) => put(new Float32Array(sizeOf(shape)), shape),
    matrix(data, rows, cols, dtype = "f32") {
      const matrix = createMatrix(gpu, rows, cols, dtype, "test matrix");
      matrices.push(matrix);
      uploadRows(gpu, matrix, 0, Float32Array.from(data));
      return matrix;
    },
    read: async (tensor) => new Float32Array(await gpu.reader.read(tensor)),
    readU32: async (tensor) => new Uint32Array(await gpu.reader.read(tensor)),
  };
}

/** Normal numbers that f32 holds exactly, so that device and reference start from the same values. */
export function random32(seed: number, length: number, scale = 1): Float64Array {
  return randomArray(seed, length, scale).map(Math.fround);
}

/** The same for packed f16. */
export function random16(seed: number, length: number, scale = 1): Float64Array {
  return randomArray(seed, length, scale).map(Math.f16round);
}

/** Fails unless the normalised squared error is at most `limit`. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  limit = F32_ERROR,
): void {
  const error = normalisedMse(actual, expected);
  // For the table of errors in EXPERIMENTS.md.
  if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) console.error(`ERROR ${error.toExponential(1)} ${what}`);
  assert(error <= limit, `${what}: normalised squared error ${error}, at most ${limit} allowed`);
}

/** Fails unless both hold the same 32-bit words. */
export function assertSameBits(what: string, actual: Float32Array, expected: Float32Array): void {
  const a = new Uint32Array(actual.buffer, actual.byteOffset, actual.length);
  const b = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
  assert(a.length === b.length, `${what}: ${a.length} and ${b.length} values`);
  let differ = 0;
  let first = -1;
  a.forEach((word, i) => {
    if (word === b[i]) return;
    differ++;
    if (first < 0) first = i;
  });
  assert(
    differ === 0,
    `${what}: ${differ} of ${a.length} words differ, at ${first}: ${actual[first]}, ${expected[first]}`,
  );
}
