import { createHash } from "node:crypto";
import { UserError } from "../gpu/errors.ts";
import { BUILTIN, builtinModel } from "./builtin/model.ts";
import { readExtras } from "./checkpoint.ts";
import type { ModelConfig } from "./config.ts";
import { openWeights, readPieces, type TensorFile } from "./formats/safetensors.ts";
import { readModelConfig } from "./hf_config.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

/** A model on disk, or embedded: what can be told of it without a device. */
export interface ModelFiles extends Disposable {
  /** The folder it is in; absent for the embedded model. */
  folder?: string;
  config: ModelConfig;
  tokenizer: Tokenizer;
  weights: TensorFile;
  /** RMS(E) of the base model: from softcot.json, or measured here where there is none (method section 2). */
  embeddingRms: number;
  /** Whether {@link embeddingRms} was measured now. */
  rmsMeasured: boolean;
  /** SHA-256 of the weight files' bytes, in hexadecimal. */
  hash(): string;
}

/**
 * Opens the model of a name: `builtin` (the embedded one), a Hugging Face folder, or the folder of a run, which stands
 * for its best checkpoint, else its newest.
 * @throws UserError if nothing is found, saying what was looked for, or what was found is damaged
 */
export function openModelFiles(name: string): ModelFiles {
  if (name === BUILTIN) {
    const { bytes, extras, ...files } = builtinModel();
    return complete({ ...files, hash: () => hashOf([bytes]) }, extras.embeddingRms);
  }
  const folder = findModelFolder(name);
  const config = readModelConfig(folder);
  const tokenizer = loadTokenizer(folder);
  const { embeddingRms } = readExtras(folder);
  const hash = () => hashOf(weightFiles(folder));
  return complete({ folder, config, tokenizer, weights: openWeights(folder), hash }, embeddingRms);
}

function complete(
  files: Omit<ModelFiles, "embeddingRms" | "rmsMeasured" | typeof Symbol.dispose>,
  knownRms: number | undefined,
): ModelFiles {
  return {
    ...files,
    embeddingRms: knownRms ?? measureRms(files.weights),
    rmsMeasured: knownRms === undefined,
    [Symbol.dispose]: () => files.weights.close(),
  };
}

// 4 Mi elements, 16 MiB: fast, and small beside any model.
const PIECE = 4 * 1024 * 1024;

/** RMS(E) over all entries of the embedding, summed in f64. */
function measureRms(weights: TensorFile): number {
  let [sum, count] = [0, 0];
  readPieces(weights, "model.embed_tokens.weight", new Float32Array(PIECE), (piece) => {
    for (let i = 0; i < piece.length; i++) sum += piece[i] * piece[i];
    count += piece.length;
  });
  return Math.sqrt(sum / count);
}

/**
 * The Hugging Face folder that a name stands for.
 * @throws UserError saying what was looked for
 */
export function findModelFolder(name: string): string {
  const found = candidatesOf(name).find((folder) => kindOf(`${folder}/config.json`) === "file");
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
    kindOf(`${name}/checkpoints`) === "folder"
      ? "the run has not written a checkpoint yet"
      : "give the folder that holds config.json and the safetensors files",
  );
}

function candidatesOf(name: string): string[] {
  const checkpoints = kindOf(`${name}/checkpoints`) === "folder"
    ? [...Deno.readDirSync(`${name}/checkpoints`)].map((entry) => entry.name)
      .filter((entry) => /^step-\d+$/.test(entry))
      .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
      .map((entry) => `${name}/checkpoints/${entry}`)
    : [];
  return [name, `${name}/best`, ...checkpoints];
}

function weightFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name)
    .filter((entry) => /^model.*\.safetensors$/.test(entry)).sort().map((entry) => `${folder}/${entry}`);
}

function hashOf(sources: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE * 4);
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
