import type { Gpu } from "./gpu.ts";
import {
  BLOCK,
  indicesOf,
  INTERLEAVE,
  isQuantised,
  paddedCols,
  paddedRows,
  PANEL,
  QUANT_BITS,
  type QuantType,
  scaleWords,
} from "./quantised.ts";
import { bytesOf, type DType, type Tensor } from "./tensor.ts";

/** Element type of a weight: floats, or packed as GGUF does. */
export type WeightType = DType | QuantType;

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
  /** The rows, in order; of a quantised weight by panels [padded rows, words of a row], without the scales. */
  chunks: Tensor[];
  /** Of a quantised weight: for each chunk the scales, two f16 to a word, with q4_1's minima. */
  scales?: Tensor[];
  /** For messages. */
  label: string;
}

/** Columns of a weight's rows as they lie: whole runs of a quantised one. */
export const widthOf = ({ cols, dtype }: Pick<Matrix, "cols" | "dtype">): number =>
  isQuantised(dtype) ? paddedCols(dtype, cols) : cols;

/** Bytes of a row, without the scales of a quantised one. */
const rowBytes = (cols: number, dtype: WeightType): number =>
  widthOf({ cols, dtype }) * (isQuantised(dtype) ? QUANT_BITS[dtype] / 8 : bytesOf(dtype));

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
  const unit = isQuantised(dtype) ? PANEL : 1;
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
    if (isQuantised(dtype)) {
      const padded = paddedRows(count);
      const words = scaleWords(dtype, padded, widthOf({ cols, dtype }));
      chunks.push(gpu.arena.create([padded, rowBytes(cols, dtype) / 4], "u32", label + part));
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

/**
 * Writes f32 rows, converted to the matrix's type, or f16 rows to a matrix of f16, starting at `row`.
 * @throws Error if rows of an odd number of f16 are written in parts (only whole words can be), or if it is quantised
 */
export function uploadRows(
  gpu: Gpu,
  matrix: Matrix,
  row: number,
  data: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>,
): void {
  const { cols, chunkRows } = matrix;
  if (isQuantised(matrix.dtype)) {
    throw new Error(`Cannot write numbers to ${matrix.label}: it is ${matrix.dtype}, written by its blocks`);
  }
  const halves = data instanceof Float16Array;
  if (halves && matrix.dtype !== "f16") {
    throw new Error(`Cannot write f16 to ${matrix.label}: it is ${matrix.dtype}`);
  }
  const whole = row === 0 && data.length === matrix.rows * cols;
  if (matrix.dtype === "f16" && cols % 2 === 1 && !whole) {
    throw new Error(`Cannot write rows of ${matrix.label}: ${cols} f16 are no whole number of words`);
  }
  for (let done = 0; done < data.length;) {
    const at = row + done / cols;
    const chunk = Math.floor(at / chunkRows);
    const count = Math.min(chunkRows - at % chunkRows, (data.length - done) / cols) * cols;
    const part = data.subarray(done, done + count);
    const packed = matrix.dtype === "f16" && !halves ? new Float16Array(part) : part;
    gpu.commands.upload(matrix.chunks[chunk], evenLength(packed), at % chunkRows * cols);
    done += count;
  }
}

// writeBuffer wants multiples of 4 bytes.
function evenLength(
  data: Float16Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): ArrayBufferView<ArrayBuffer> {
  if (data.byteLength % 4 === 0) return data;
  const padded = new Float16Array(data.length + 1);
  padded.set(data);
  return padded;
}

/** Reads a matrix as f32, chunk by chunk. */
export async function downloadMatrix(gpu: Gpu, matrix: Matrix): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(matrix.rows * matrix.cols);
  let at = 0;
  for (const [i, chunk] of matrix.chunks.entries()) {
    const bytes = await gpu.reader.read(chunk);
    const values = isQuantised(matrix.dtype)
      ? unpack(
        matrix,
        rowsOfChunk(matrix, i),
        new Uint32Array(bytes),
        await gpu.reader.read(matrix.scales![i]),
      )
      : matrix.dtype === "f16"
      ? new Float16Array(bytes)
      : new Float32Array(bytes);
    out.set(values, at);
    at += values.length;
  }
  return out;
}

function unpack(
  { dtype, cols }: Matrix,
  rows: number,
  words: Uint32Array,
  scaleBytes: ArrayBuffer,
): Float32Array {
  const bits = QUANT_BITS[dtype as QuantType];
  const scales = new Float16Array(scaleBytes);
  const width = widthOf({ cols, dtype });
  return Float32Array.from({ length: rows * cols }, (_, i) => {
    const [index, at] = indicesOf(dtype as QuantType, Math.floor(i / cols), i % cols, width);
    const bit = index * bits % 32;
    const word = words[Math.floor(index * bits / 32)];
    if (dtype === "q4_1") return (word >>> bit & 15) * scales[at] + scales[at + INTERLEAVE];
    return (word << (32 - bits - bit) >> (32 - bits)) * scales[at];
  });
}
