import type { Gpu } from "./device.ts";
import { bytesOf, type DType, type Tensor } from "./tensor.ts";

/** A weight [rows, cols] in chunks of whole rows, each within the device's binding limit. */
export interface Matrix {
  /** Of the whole weight. */
  rows: number;
  /** Width of a row. */
  cols: number;
  /** Element type of all chunks. */
  dtype: DType;
  /** Rows of every chunk but the last. */
  chunkRows: number;
  /** The rows, in order. */
  chunks: Tensor[];
  /** For messages. */
  label: string;
}

/**
 * Makes a zeroed matrix on the device.
 * @throws Error if one row alone exceeds the binding limit.
 */
export function createMatrix(gpu: Gpu, rows: number, cols: number, dtype: DType, label: string): Matrix {
  const fitting = Math.floor(gpu.maxBinding / (cols * bytesOf(dtype)));
  if (fitting === 0) {
    throw new Error(
      `Cannot create ${label}[${rows}, ${cols}]: a row exceeds the binding limit ${gpu.maxBinding}`,
    );
  }
  // A multiple of 8 keeps column offsets of the chunks aligned for vector loads.
  const chunkRows = rows <= fitting ? rows : Math.max(1, fitting - fitting % 8);
  const chunks: Tensor[] = [];
  for (let start = 0; start < rows; start += chunkRows) {
    const count = Math.min(chunkRows, rows - start);
    const part = rows > chunkRows ? ` rows ${start}-${start + count}` : "";
    chunks.push(gpu.arena.create([count, cols], dtype, label + part));
  }
  return { rows, cols, dtype, chunkRows, chunks, label };
}

/** Frees a matrix. */
export function freeMatrix(gpu: Gpu, matrix: Matrix): void {
  for (const chunk of matrix.chunks) gpu.arena.free(chunk);
}

/** A tensor seen as a matrix of one chunk. */
export function matrixOf(tensor: Tensor): Matrix {
  const cols = tensor.shape[tensor.shape.length - 1];
  const rows = tensor.shape.reduce((product, n) => product * n, 1) / cols;
  return { rows, cols, dtype: tensor.dtype, chunkRows: rows, chunks: [tensor], label: tensor.label };
}

/**
 * Writes f32 rows, converted to the matrix's type, starting at `row`.
 * @throws Error if rows of an odd number of f16 are written in parts: only whole words can be
 */
export function uploadRows(gpu: Gpu, matrix: Matrix, row: number, data: Float32Array<ArrayBuffer>): void {
  const { cols, chunkRows } = matrix;
  const whole = row === 0 && data.length === matrix.rows * cols;
  if (matrix.dtype === "f16" && cols % 2 === 1 && !whole) {
    throw new Error(`Cannot write rows of ${matrix.label}: ${cols} f16 are no whole number of words`);
  }
  for (let done = 0; done < data.length;) {
    const at = row + done / cols;
    const chunk = Math.floor(at / chunkRows);
    const count = Math.min(chunkRows - at % chunkRows, (data.length - done) / cols) * cols;
    const part = data.subarray(done, done + count);
    const packed = matrix.dtype === "f16" ? new Float16Array(part) : part;
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
  for (const chunk of matrix.chunks) {
    const bytes = await gpu.reader.read(chunk);
    const values = matrix.dtype === "f16" ? new Float16Array(bytes) : new Float32Array(bytes);
    out.set(values, at);
    at += values.length;
  }
  return out;
}
