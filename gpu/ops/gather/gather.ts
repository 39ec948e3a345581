import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type Matrix, matrixOf, rowsOfChunk, type WeightType, widthOf } from "../../matrix.ts";
import { halfFunction, isByPanels, weightIndex } from "../../panels.ts";
import { isQuantised, weightFunction } from "../../quantised.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../../tensor.ts";
import { suitsVec8 } from "../wgsl/vec8.ts";
import { vectorLabel, vectorPrelude } from "../wgsl/vector_prelude.ts";
import gatherCode from "./gather.wgsl" with { type: "text" };
import segmentCode from "./segment_sum.wgsl" with { type: "text" };

/** An index that {@link gather} passes over: the row keeps what it holds. */
export const NO_ROW = 0xffffffff;

/** WGSL of T, and of `load(row, c)`: vector (or number) c of a row of `source`, by its type. Quantised ones bind their scales at 4. */
export function loadFunction(dtype: WeightType, vector: boolean): string {
  if (isQuantised(dtype)) {
    const numbers = [0, 1, 2, 3].map((e) => `weight(row, 4u * c + ${e}u)`).join(", ");
    return `alias T = u32;
${
      weightFunction(dtype, "source", "p.width")
    }fn load(row: u32, c: u32) -> V { return vec4<f32>(${numbers}); }\n`;
  }
  const load = "fn load(row: u32, c: u32) -> V";
  if (dtype !== "f16") return `alias T = V; ${load} { return source[row * (p.d / W) + c]; }\n`;
  if (!vector) {
    return `alias T = u32;\n${halfFunction("source", "p.width")}${load} { return weight(row, c); }\n`;
  }
  return `alias T = vec2<u32>;
${load} {
  let w = source[(${weightIndex("f16", "row", "(4u * c)", "p.width")}) / 4u];
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}
`;
}

/** out[r] = source[index[r]]: the token look-up, and any selection of rows. index u32 [rows], out [rows, d]. */
export function gather(gpu: Gpu, source: Matrix | Tensor, index: Tensor, out: Tensor): void {
  const matrix = "chunks" in source ? source : matrixOf(source);
  const { rows, cols: d } = asMatrix(out);
  expectShape("gather", index, [rows]);
  if (matrix.cols !== d) {
    throw new Error(`Cannot gather ${matrix.label}: rows of ${matrix.cols}, ${d} needed`);
  }
  const vector = d % 4 === 0;
  const { dtype, scales } = matrix;
  const packed = isByPanels(dtype);
  // Numbers that are only moved are moved eight at once.
  const vec8 = !packed && d % 8 === 0 && suitsVec8(gpu);
  const label = vec8 ? "gather_vec8" : vectorLabel(packed ? `gather_${dtype}` : "gather", vector);
  const prelude = vec8
    ? `alias V = vec4<u64>; const W = 8u; const S = ${gpu.subgroupSize}u;\n`
    : vectorPrelude(vector, gpu.subgroupSize);
  const code = () => prelude + loadFunction(dtype, vector) + gatherCode;
  matrix.chunks.forEach((chunk, i) => {
    const params = {
      rows,
      d,
      width: widthOf(matrix),
      sourceRows: rowsOfChunk(matrix, i),
      base: i * matrix.chunkRows,
    };
    const tensors = scales ? [chunk, index, out, scales[i]] : [chunk, index, out];
    run(gpu, { label, code }, tensors, params, grid(rows));
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
    label: vectorLabel("segment_sum", vector),
    code: () => vectorPrelude(vector, gpu.subgroupSize) + segmentCode,
  };
  matrix.chunks.forEach((chunk, i) => {
    const params = { segments, d, outRows: chunk.shape[0], base: i * matrix.chunkRows };
    run(gpu, kernel, [source, by.segments, by.list, chunk], params, grid(segments * columns));
  });
}
