import type { Gpu } from "./gpu.ts";
import {
  INTERLEAVE,
  isByPanels,
  paddedCols,
  paddedRows,
  PANEL,
  PANEL_BITS,
  type PanelType,
  weightAt,
} from "./panels.ts";
import { BLOCK, isQuantised, type QuantType, scaleAt, scaleWords } from "./quantised.ts";
import { type DType, ELEMENT_BYTES, type Tensor } from "./tensor.ts";

/** Element type of a weight: that of a tensor, or smaller than f32 and by panels. */
export type WeightType = DType | PanelType;

/** A weight [rows, cols] in chunks of whole rows, each within the device's binding limit. */
export interface Matrix {
  /** Of the whole weight. */
  rows: number;
  /** Width of a row. */
  cols: number;
  /** Element type of the weight. */
  dtype: WeightType;
  /** Rows of every chunk but the last. */
  chunkRows: number;
  /** The rows, in order; of f16 and quantised weights by panels [padded rows, words of a row], without the scales. */
  chunks: Tensor[];
  /** Of a quantised weight: for each chunk the scales, two f16 to a word, with q4_1's minima. */
  scales?: Tensor[];
  /** For messages. */
  label: string;
}

/** Columns of a weight's rows as they lie: whole runs of what lies by panels. */
export const widthOf = ({ cols, dtype }: Pick<Matrix, "cols" | "dtype">): number =>
  isByPanels(dtype) ? paddedCols(dtype, cols) : cols;

/** Bytes of a row, without the scales of a quantised one. */
const rowBytes = (cols: number, dtype: WeightType): number =>
  widthOf({ cols, dtype }) * (isByPanels(dtype) ? PANEL_BITS[dtype] / 8 : ELEMENT_BYTES);

/** Rows of chunk `i`. */
export const rowsOfChunk = ({ rows, chunkRows }: Matrix, i: number): number =>
  Math.min(chunkRows, rows - i * chunkRows);

/**
 * Makes a zeroed matrix on the device.
 * @throws Error if one row alone exceeds the binding limit, or if rows of a quantised one are not whole blocks
 */
export function createMatrix(
  gpu: Gpu,
  rows: number,
  cols: number,
  dtype: WeightType,
  label: string,
): Matrix {
  if (isQuantised(dtype) && cols % BLOCK !== 0) {
    throw new Error(
      `Cannot create ${label}[${rows}, ${cols}] in ${dtype}: rows must be multiples of ${BLOCK}`,
    );
  }
  const unit = isByPanels(dtype) ? PANEL : 1;
  const fitting = Math.floor(gpu.maxBinding / rowBytes(cols, dtype) / unit) * unit;
  if (fitting === 0) {
    throw new Error(
      `Cannot create ${label}[${rows}, ${cols}]: ${
        unit === 1 ? "a row exceeds" : `${unit} rows exceed`
      } the binding limit ${gpu.maxBinding}`,
    );
  }
  // Multiples of 256 are whole segments of a GPU's sums over rows; of 32 they keep offsets aligned for the widest loads.
  const multiple = fitting >= 256 ? 256 : fitting >= 32 ? 32 : 8;
  const chunkRows = rows <= fitting ? rows : Math.max(1, fitting - fitting % multiple);
  const chunks: Tensor[] = [];
  const scales: Tensor[] = [];
  for (let start = 0; start < rows; start += chunkRows) {
    const count = Math.min(chunkRows, rows - start);
    const part = rows > chunkRows ? ` rows ${start}-${start + count}` : "";
    if (isByPanels(dtype)) {
      const padded = paddedRows(count);
      chunks.push(gpu.arena.create([padded, rowBytes(cols, dtype) / 4], "u32", label + part));
      if (!isQuantised(dtype)) continue;
      const words = scaleWords(dtype, padded, widthOf({ cols, dtype }));
      scales.push(gpu.arena.create([words], "u32", `${label}${part} scales`));
    } else chunks.push(gpu.arena.create([count, cols], dtype, label + part));
  }
  return { rows, cols, dtype, chunkRows, chunks, ...(scales.length > 0 ? { scales } : {}), label };
}

/** Frees a matrix. */
export function freeMatrix(gpu: Gpu, matrix: Matrix): void {
  for (const tensor of [...matrix.chunks, ...matrix.scales ?? []]) gpu.arena.free(tensor);
}

/** A tensor seen as a matrix of one chunk. */
export function matrixOf(tensor: Tensor): Matrix {
  const cols = tensor.shape[tensor.shape.length - 1];
  const rows = tensor.shape.reduce((product, n) => product * n, 1) / cols;
  return { rows, cols, dtype: tensor.dtype, chunkRows: rows, chunks: [tensor], label: tensor.label };
}

/** Reads a matrix as f32, chunk by chunk. */
export async function downloadMatrix(gpu: Gpu, matrix: Matrix): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(matrix.rows * matrix.cols);
  for (const [i, chunk] of matrix.chunks.entries()) {
    const bytes = await gpu.reader.read(chunk);
    const first = i * matrix.chunkRows * matrix.cols;
    const part = out.subarray(first, first + rowsOfChunk(matrix, i) * matrix.cols);
    if (matrix.scales) unpack(matrix, new Uint32Array(bytes), await gpu.reader.read(matrix.scales[i]), part);
    else if (matrix.dtype === "f16") fromPanels(matrix, new Float16Array(bytes), part);
    else part.set(new Float32Array(bytes));
  }
  return out;
}

/** Takes the rows of f16 out of their panels. */
function fromPanels({ cols, dtype }: Matrix, halves: Float16Array, out: Float32Array): void {
  const width = widthOf({ cols, dtype });
  for (let row = 0; row < out.length / cols; row++) {
    for (let col = 0; col < cols; col++) out[row * cols + col] = halves[weightAt("f16", row, col, width)];
  }
}

function unpack(
  { dtype, cols }: Matrix,
  words: Uint32Array,
  scaleBytes: ArrayBuffer,
  out: Float32Array,
): void {
  const type = dtype as QuantType;
  const bits = PANEL_BITS[type];
  const scales = new Float16Array(scaleBytes);
  const width = widthOf({ cols, dtype });
  for (let i = 0; i < out.length; i++) {
    const [row, col] = [Math.floor(i / cols), i % cols];
    const at = weightAt(type, row, col, width) * bits;
    const scale = scaleAt(type, row, Math.floor(col / BLOCK), width);
    const [word, bit] = [words[Math.floor(at / 32)], at % 32];
    out[i] = type === "q4_1"
      ? (word >>> bit & 15) * scales[scale] + scales[scale + INTERLEAVE]
      : (word << (32 - bits - bit) >> (32 - bits)) * scales[scale];
  }
}
