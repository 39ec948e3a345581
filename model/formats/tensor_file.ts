import { UserError } from "../../gpu/errors.ts";

/** Where a tensor lies in its file. */
export interface TensorEntry {
  /** Its key in the file. */
  name: string;
  /** As written in the file: F32, F16, BF16, I64, ..., or a block type of GGUF such as Q4_K. */
  dtype: string;
  /** Row-major; empty for a single number. */
  shape: readonly number[];
  /** Product of the shape. */
  elements: number;
  /** Bytes from the start of the file. */
  begin: number;
  /** The first byte after it. */
  end: number;
}

/**
 * Named tensors on disk or in memory: one file, or the shards of a model seen as one. Names and the order of rows are
 * Hugging Face's, whatever the format.
 */
export interface TensorFile {
  /** By name, in file order. */
  tensors: ReadonlyMap<string, TensorEntry>;
  /** The `__metadata__` of the header. */
  metadata: Readonly<Record<string, string>>;
  /**
   * Reads elements `from` to `from + out.length` of a tensor, converted to f32.
   *
   * @throws UserError if the tensor is missing, not of a type that can be read, or the file ends too early
   */
  read(name: string, from: number, out: Float32Array<ArrayBuffer>): void;
  /**
   * Reads rows (of the last dimension) as they are stored, from `row` on, until `out` is full; `bytesOfElements` of
   * element_types.ts tells how long they are. Absent where a format cannot give them.
   *
   * @throws UserError as `read` does
   */
  readStored?(name: string, row: number, out: Uint8Array<ArrayBuffer>): void;
  /** Gives the file, or all of its shards, back. */
  close(): void;
}

/**
 * Calls back with a tensor's elements piece by piece, in order; the piece is overwritten by the next.
 *
 * @param file where it is
 * @param name of the tensor
 * @param buffer decides the size of the pieces
 * @param use gets each piece and the index of its first element
 */
export function readPieces(
  file: TensorFile,
  name: string,
  buffer: Float32Array<ArrayBuffer>,
  use: (piece: Float32Array<ArrayBuffer>, from: number) => void,
): void {
  const elements = file.tensors.get(name)?.elements ?? 1;
  for (let from = 0; from < elements; from += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, elements - from));
    file.read(name, from, piece);
    use(piece, from);
  }
}

/** A whole tensor as f32. */
export function readTensor(file: TensorFile, name: string): Float32Array<ArrayBuffer> {
  const out = new Float32Array(file.tensors.get(name)?.elements ?? 0);
  file.read(name, 0, out);
  return out;
}

/** The entry of a tensor; a UserError names the file and the tensor if there is none. */
export function findTensor(
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  label: string,
): TensorEntry {
  const entry = tensors.get(name);
  if (entry) return entry;
  throw new UserError(
    `Cannot read ${label}: it has no tensor ${JSON.stringify(name)}, which the model needs`,
  );
}
