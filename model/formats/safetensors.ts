/**
 * Reading safetensors files: the header is checked in full before anything is allocated for a tensor, and
 * tensors are read in pieces as f32, so that a model larger than memory can pass through.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { openBytes, openFile, type RandomAccess } from "./random_access.ts";
import { readHeader } from "./safetensors_header.ts";

/** Where a tensor lies in its file. */
export interface TensorEntry {
  /** Its key in the file. */
  name: string;
  /** As written in the file: F32, F16, BF16, I64, ... */
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

/** Named tensors on disk or in memory: one file, or the shards of a model seen as one. */
export interface TensorFile {
  /** By name, in file order. */
  tensors: ReadonlyMap<string, TensorEntry>;
  /** The `__metadata__` of the header. */
  metadata: Readonly<Record<string, string>>;
  /**
   * Reads elements `from` to `from + out.length` of a tensor, converted to f32.
   *
   * @throws UserError if the tensor is missing, not F32, F16 or BF16, or the file ends too early
   */
  read(name: string, from: number, out: Float32Array<ArrayBuffer>): void;
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
    return { tensors, metadata, read, close: () => file.close() };
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
/** Half-width numbers on their way to f32, 1 MiB at a time; shared, since every read ends before the next begins. */
let scratch: Uint16Array<ArrayBuffer> | undefined;

function findTensor(tensors: ReadonlyMap<string, TensorEntry>, name: string, label: string): TensorEntry {
  const entry = tensors.get(name);
  if (entry) return entry;
  throw new UserError(
    `Cannot read ${label}: it has no tensor ${JSON.stringify(name)}, which the model needs`,
  );
}

function readElements(
  file: RandomAccess,
  entry: TensorEntry,
  from: number,
  out: Float32Array<ArrayBuffer>,
): void {
  const { name, dtype, elements, begin } = entry;
  if (from < 0 || from + out.length > elements) {
    throw new Error(`Cannot read elements ${from} to ${from + out.length} of ${name}: it has ${elements}`);
  }
  if (dtype === "F32") {
    file.read(begin + 4 * from, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
    return;
  }
  if (dtype !== "F16" && dtype !== "BF16") {
    throw new UserError(
      `Cannot read ${name} of ${file.label}: it is stored as ${dtype}, F32, F16 or BF16 is needed`,
    );
  }
  scratch ??= new Uint16Array(2 ** 19);
  for (let done = 0; done < out.length; done += scratch.length) {
    const count = Math.min(scratch.length, out.length - done);
    file.read(begin + 2 * (from + done), new Uint8Array(scratch.buffer, 0, 2 * count));
    const part = out.subarray(done, done + count);
    if (dtype === "F16") part.set(new Float16Array(scratch.buffer, 0, count));
    else widenBf16(scratch, part);
  }
}

function widenBf16(halves: Uint16Array, out: Float32Array<ArrayBuffer>): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i] << 16;
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
  const metadata = shards.values().next().value?.metadata ?? {};
  return { tensors, metadata, read, close };
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
