import { createHash } from "node:crypto";
import type { Gpu } from "../gpu/device.ts";
import { UserError } from "../gpu/errors.ts";
import { BUILTIN, builtinExtras, builtinModel, builtinWeights } from "./builtin/model.ts";
import { type LoadedModel, loadModel, readExtras } from "./checkpoint.ts";
import type { Params } from "./params.ts";

/** A model ready for use, with the unit of the noise. */
export interface FoundModel extends LoadedModel {
  /** RMS(E) of the base model: from softcot.json, or measured here where there is none (method section 2). */
  embeddingRms: number;
  /** Whether {@link embeddingRms} was measured now. */
  rmsMeasured: boolean;
  /** The model's folder; absent for the embedded model. */
  folder?: string;
  /** SHA-256 of the weight files' bytes, in hexadecimal. */
  hash(): string;
}

/**
 * Loads the model of a name: `builtin` (the embedded one), a Hugging Face folder, or the folder of a run, which
 * stands for its best checkpoint, else its newest.
 * @throws UserError if nothing is found, saying what was looked for, or what was found is damaged
 */
export async function findModel(gpu: Gpu, name: string): Promise<FoundModel> {
  const folder = name === BUILTIN ? undefined : findModelFolder(name);
  const loaded = folder === undefined ? builtinModel(gpu) : loadModel(gpu, folder);
  const known = (folder === undefined ? builtinExtras() : readExtras(folder)).embeddingRms;
  return {
    ...loaded,
    embeddingRms: known ?? await measureRms(gpu, loaded.model.params),
    rmsMeasured: known === undefined,
    folder,
    hash: () => folder === undefined ? hashOf([builtinWeights()]) : hashOf(weightFiles(folder)),
  };
}

/**
 * The Hugging Face folder that a name stands for.
 * @throws UserError saying what was looked for
 */
export function findModelFolder(name: string): string {
  const found = candidatesOf(name).find((folder) => isFile(`${folder}/config.json`));
  if (found !== undefined) return found;
  const kind = kindOf(name);
  if (kind === undefined) {
    throw new UserError(
      `Cannot find the model ${name}: there is no such folder, and the only model with a name is ${BUILTIN}`,
      "give the folder of a Hugging Face model (config.json, safetensors, tokenizer.json), or that of a run",
    );
  }
  if (kind === "file") {
    throw new UserError(
      `Cannot open the model ${name}: it is a file, a folder is needed`,
      "give the folder that holds config.json and the safetensors files",
    );
  }
  throw new UserError(
    `Cannot find a model in ${name}: looked for config.json there (a Hugging Face folder), then in best and ` +
      "checkpoints/step-... (a run); none is there",
    isFolder(`${name}/checkpoints`)
      ? "the run has not written a checkpoint yet"
      : "give the folder that holds config.json and the safetensors files",
  );
}

/** RMS(E) over all entries of the embedding, summed in f64 a chunk at a time. */
async function measureRms(gpu: Gpu, { embedding }: Params): Promise<number> {
  let sum = 0;
  for (const chunk of embedding.chunks) {
    const bytes = await gpu.reader.read(chunk);
    const values = embedding.dtype === "f16" ? new Float16Array(bytes) : new Float32Array(bytes);
    for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  }
  return Math.sqrt(sum / (embedding.rows * embedding.cols));
}

function candidatesOf(name: string): string[] {
  const checkpoints = isFolder(`${name}/checkpoints`)
    ? [...Deno.readDirSync(`${name}/checkpoints`)].map((entry) => entry.name)
      .filter((entry) => /^step-\d+$/.test(entry))
      .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
      .map((entry) => `${name}/checkpoints/${entry}`)
    : [];
  return [name, ...[`${name}/best`, ...checkpoints].flatMap((folder) => [folder, `${folder}/model`])];
}

function weightFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name)
    .filter((entry) => /^model.*\.safetensors$/.test(entry)).sort().map((entry) => `${folder}/${entry}`);
}

// 16 MiB at a time: fast, and small beside any model.
const PIECE = 16 * 1024 * 1024;

function hashOf(sources: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE);
  for (const source of sources) {
    if (typeof source !== "string") {
      hash.update(source);
      continue;
    }
    using file = Deno.openSync(source);
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      hash.update(buffer.subarray(0, count));
    }
  }
  return hash.digest("hex");
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch {
    return undefined;
  }
}

const isFile = (path: string) => kindOf(path) === "file";
const isFolder = (path: string) => kindOf(path) === "folder";
