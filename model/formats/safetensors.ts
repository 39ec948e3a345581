/**
 * Reading safetensors files: the header is checked in full before anything is allocated for a tensor, and
 * tensors are read in pieces as f32, so that a model larger than memory can pass through.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { isFile } from "../files/on_disk.ts";
import { isSafePath } from "../hub/repo_id.ts";
import { openBytes, openFile } from "./random_access.ts";
import { readElements, readStoredRows } from "./read_elements.ts";
import { readHeader } from "./safetensors_header.ts";
import { findTensor, type TensorEntry, type TensorFile } from "./tensor_file.ts";
import { modelFile } from "../files/model_file.ts";
import { readPlainText } from "../files/plain_file.ts";
import { parseJson } from "../files/parse_json.ts";

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
  if (isFile(`${folder}/model.safetensors`)) return openSafetensors(modelFile(folder, "model.safetensors"));
  const indexPath = modelFile(folder, INDEX_NAME);
  if (isFile(indexPath)) return openShards(folder, readIndex(indexPath));
  throw new UserError(
    `Cannot open the weights of ${folder}: neither model.safetensors nor ${INDEX_NAME} is there, one is needed`,
    "give the folder of a Hugging Face model with weights in safetensors files",
  );
}

/** The file that tells in which file each tensor is. */
export const INDEX_NAME = "model.safetensors.index.json";

/**
 * The files of a folder's weights, without opening them: `model.safetensors`, else those that the index names, whatever they are called.
 *
 * @throws UserError if the index is damaged
 */
export function weightNames(folder: string): string[] {
  if (isFile(`${folder}/model.safetensors`)) return ["model.safetensors"];
  const indexPath = modelFile(folder, INDEX_NAME);
  return isFile(indexPath) ? [...new Set(readIndex(indexPath).values())].sort() : [];
}

function openShards(folder: string, shardOf: Map<string, string>): TensorFile {
  refuseMissing(folder, [...new Set(shardOf.values())]);
  const shards = new Map<string, TensorFile>();
  const close = () => shards.forEach((shard) => shard.close());
  const tensors = new Map<string, TensorEntry>();
  try {
    for (const [name, shardName] of shardOf) {
      if (!shards.has(shardName)) shards.set(shardName, openSafetensors(modelFile(folder, shardName)));
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

function refuseMissing(folder: string, names: string[]): void {
  const missing = names.filter((name) => !isFile(`${folder}/${name}`));
  if (missing.length === 0) return;
  const shown = missing.slice(0, 3).join(", ") +
    (missing.length > 3 ? ` and ${missing.length - 3} more` : "");
  throw new UserError(
    `Cannot open the weights of ${folder}: ${INDEX_NAME} names ${names.length} files, of which ${shown} ` +
      `${missing.length > 1 ? "are" : "is"} not there`,
    "put them beside the others, or pull the model again: what is there is not fetched twice",
  );
}

function readIndex(path: string): Map<string, string> {
  try {
    return parseIndex(readPlainText(path), path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot open the weights by ${path}: ${(error as Error).message}`);
  }
}

/**
 * Which file each tensor is in, by the text of an index.
 *
 * @param path of the index, for messages
 * @throws UserError if it is damaged, or names what lies elsewhere
 */
export function parseIndex(text: string, path: string): Map<string, string> {
  const refuse = (what: string) => new UserError(`Cannot open the weights by ${path}: ${what}`);
  let index: unknown;
  try {
    index = parseJson(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const weightMap = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap)) {
    throw refuse("it has no object weight_map, which names the file of each tensor");
  }
  const shardOf = new Map<string, string>(Object.entries(weightMap));
  for (const [name, shard] of shardOf) {
    if (typeof shard !== "string" || shard.length > 1000 || !isSafePath(shard)) {
      throw refuse(
        `${name} is said to be in ${
          JSON.stringify(shard)?.slice(0, 120)
        }, a safetensors file of the same folder is needed`,
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
