/**
 * Reading safetensors files: the header is checked in full before anything is allocated for a tensor, and
 * tensors are read in pieces as f32, so that a model larger than memory can pass through.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { openBytes, openFile } from "./random_access.ts";
import { readElements, readStoredRows } from "./read_elements.ts";
import { readHeader } from "./safetensors_header.ts";

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
   * dequantize.ts tells how long they are. Absent where a format cannot give them.
   *
   * @throws UserError as `read` does
   */
  readStored?(name: string, row: number, out: Uint8Array<ArrayBuffer>): void;
  /** Gives the file, or all of its shards, back. */
  close(): void;
}

/**
 * Opens one safetensors file.
 *
 * @param source a path, or the file's bytes
 * @param label what messages call it; defaults to the path
 * @throws UserError if it cannot be opened or its header is damaged in any way
 */
export function openSafetensors(
  source: string | URL | Uint8Array<ArrayBuffer>,
  label = source instanceof Uint8Array ? "embedded weights" : `${source}`,
): TensorFile {
  const file = source instanceof Uint8Array ? openBytes(source, label) : openFile(source, label);
  try {
    const { tensors, metadata } = readHeader(file);
    const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) =>
      readElements(file, findTensor(tensors, name, label), from, out);
    const readStored = (name: string, row: number, out: Uint8Array<ArrayBuffer>) =>
      readStoredRows(file, findTensor(tensors, name, label), row, out);
    return { tensors, metadata, read, readStored, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Opens the weights of a Hugging Face folder: model.safetensors, or the shards of
 * model.safetensors.index.json as if they were one file.
 *
 * @throws UserError if neither exists, or the index and its shards do not fit together
 */
export function openWeights(folder: string): TensorFile {
  if (exists(`${folder}/model.safetensors`)) return openSafetensors(`${folder}/model.safetensors`);
  const indexPath = `${folder}/${INDEX_NAME}`;
  if (exists(indexPath)) return openShards(folder, readIndex(indexPath));
  throw new UserError(
    `Cannot open the weights of ${folder}: neither model.safetensors nor ${INDEX_NAME} is there, one is needed`,
    "give the folder of a Hugging Face model with weights in safetensors files",
  );
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

const INDEX_NAME = "model.safetensors.index.json";

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

function openShards(folder: string, shardOf: Map<string, string>): TensorFile {
  const shards = new Map<string, TensorFile>();
  const close = () => shards.forEach((shard) => shard.close());
  const tensors = new Map<string, TensorEntry>();
  try {
    for (const [name, shardName] of shardOf) {
      if (!shards.has(shardName)) shards.set(shardName, openSafetensors(`${folder}/${shardName}`));
      tensors.set(name, findTensor(shards.get(shardName)!.tensors, name, `${folder}/${shardName}`));
    }
  } catch (error) {
    close();
    throw error;
  }
  const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) => {
    findTensor(tensors, name, folder);
    shards.get(shardOf.get(name)!)!.read(name, from, out);
  };
  const readStored = (name: string, row: number, out: Uint8Array<ArrayBuffer>) => {
    findTensor(tensors, name, folder);
    shards.get(shardOf.get(name)!)!.readStored!(name, row, out);
  };
  const metadata = shards.values().next().value?.metadata ?? {};
  return { tensors, metadata, read, readStored, close };
}

function readIndex(path: string): Map<string, string> {
  const refuse = (what: string) => new UserError(`Cannot open the weights by ${path}: ${what}`);
  let index: unknown;
  try {
    index = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const weightMap = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap)) {
    throw refuse("it has no object weight_map, which names the file of each tensor");
  }
  const shardOf = new Map<string, string>(Object.entries(weightMap));
  for (const [name, shard] of shardOf) {
    if (typeof shard !== "string" || !/^[^/\\]+\.safetensors$/.test(shard)) {
      throw refuse(
        `${name} is said to be in ${JSON.stringify(shard)}, a safetensors file of the same folder is needed`,
      );
    }
  }
  const count = new Set(shardOf.values()).size;
  if (count === 0 || count > MOST_SHARDS) {
    throw refuse(`it names ${count} files, 1 to ${MOST_SHARDS} are possible`);
  }
  return shardOf;
}

/** Each shard keeps a file open. */
const MOST_SHARDS = 500;

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
