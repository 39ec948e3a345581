import type { Gpu } from "../device.ts";
import { run, spread } from "../kernel.ts";
import { type Matrix, matrixOf } from "../matrix.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../tensor.ts";
import { variant, vectorPrelude } from "./vector.ts";
import gatherCode from "./gather.wgsl" with { type: "text" };
import segmentCode from "./segment_sum.wgsl" with { type: "text" };

/** An index that {@link gather} passes over: the row keeps what it holds. */
export const NO_ROW = 0xffffffff;

const reads = {
  f32: "alias T = V; fn load(i: u32) -> V { return source[i]; }\n",
  f16:
    "alias T = vec2<u32>; fn load(i: u32) -> V { let w = source[i]; return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y)); }\n",
  f16scalar:
    "alias T = u32; fn load(i: u32) -> V { let w = unpack2x16float(source[i >> 1u]); return select(w.x, w.y, (i & 1u) == 1u); }\n",
};

/** out[r] = source[index[r]]: the token look-up, and any selection of rows. index u32 [rows], out [rows, d]. */
export function gather(gpu: Gpu, source: Matrix | Tensor, index: Tensor, out: Tensor): void {
  const matrix = "chunks" in source ? source : matrixOf(source);
  const { rows, cols: d } = asMatrix(out);
  expectShape("gather", index, [rows]);
  if (matrix.cols !== d) {
    throw new Error(`Cannot gather ${matrix.label}: rows of ${matrix.cols}, ${d} needed`);
  }
  const vector = d % 4 === 0;
  const half = matrix.dtype === "f16";
  const label = variant(half ? "gather_f16" : "gather", vector);
  const read = half ? (vector ? reads.f16 : reads.f16scalar) : reads.f32;
  const code = () => vectorPrelude(vector, gpu.subgroupSize) + read + gatherCode;
  matrix.chunks.forEach((chunk, i) => {
    const params = { rows, d, sourceRows: chunk.shape[0], base: i * matrix.chunkRows };
    run(gpu, { label, code }, [chunk, index, out], params, spread(rows));
  });
}

/** Which rows are summed into which: the transpose of a {@link gather}. */
export interface Segments {
  /** u32 [segments, 4]: (target row, start, end, 0). */
  segments: Tensor;
  /** u32: source rows, segment by segment. */
  list: Tensor;
}

/** Sorts the rows of a gather by the row they read, so that each target is summed by one subgroup in fixed order. */
export function segmentsOf(
  index: ArrayLike<number>,
): { segments: Uint32Array<ArrayBuffer>; list: Uint32Array<ArrayBuffer> } {
  const rows: number[] = [];
  for (let i = 0; i < index.length; i++) if (index[i] !== NO_ROW) rows.push(i);
  rows.sort((a, b) => index[a] - index[b] || a - b);
  const segments: number[] = [];
  rows.forEach((row, i) => {
    if (i > 0 && index[rows[i - 1]] === index[row]) segments[segments.length - 2] = i + 1;
    else segments.push(index[row], i, i + 1, 0);
  });
  return { segments: Uint32Array.from(segments), list: Uint32Array.from(rows) };
}

/** out[index[r]] += source[r] for all r, by segments: the backward of {@link gather}. source [rows, d]. */
export function segmentSum(gpu: Gpu, source: Tensor, by: Segments, out: Matrix | Tensor): void {
  const matrix = "chunks" in out ? out : matrixOf(out);
  const { cols: d } = asMatrix(source);
  if (matrix.cols !== d) {
    throw new Error(`Cannot sum into ${matrix.label}: rows of ${matrix.cols}, ${d} needed`);
  }
  const vector = d % 4 === 0;
  const segments = sizeOf(by.segments.shape) / 4;
  const columns = Math.ceil(d / (vector ? 4 : 1) / gpu.subgroupSize);
  const kernel = {
    label: variant("segment_sum", vector),
    code: () => vectorPrelude(vector, gpu.subgroupSize) + segmentCode,
  };
  matrix.chunks.forEach((chunk, i) => {
    const params = { segments, d, outRows: chunk.shape[0], base: i * matrix.chunkRows };
    run(gpu, kernel, [source, by.segments, by.list, chunk], params, spread(segments * columns));
  });
}
