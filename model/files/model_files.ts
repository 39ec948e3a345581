import { UserError } from "../../gpu/errors.ts";
import { BUILTIN, builtinModel } from "../builtin/builtin_model.ts";
import { openGguf } from "../formats/gguf.ts";
import { ggufConfig } from "../formats/gguf_config.ts";
import { ggufWeights } from "../formats/gguf_weights.ts";
import { openLlama2c } from "../formats/llama2c.ts";
import { openWeights, weightNames } from "../formats/safetensors.ts";
import { readPieces, type TensorFile } from "../formats/tensor_file.ts";
import { ADAPTER_WEIGHTS, baseOf } from "../lora/adapter_config.ts";
import { findAdaptedModel } from "../lora/locate_adapter.ts";
import { ggufTokenizerFiles } from "../tokenizer/gguf_tokenizer.ts";
import { llama2cTokenizerFiles } from "../tokenizer/llama2c_tokenizer.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { BaseModel } from "../transformer/adapter.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { tensorShapes } from "../transformer/params.ts";
import { readModelConfig } from "./hf_config.ts";
import { locateModel } from "./locate_model.ts";
import { lookInto } from "./look_into.ts";
import { readExtras } from "./model_extras.ts";
import { checkTensors } from "./params_file.ts";
import { settleHead } from "./settle_head.ts";
import { sha256Of } from "./sha256_of.ts";
import { modelFile } from "./model_file.ts";
import { readPlain } from "./plain_file.ts";

/** A model on disk, or embedded: what can be told of it without a device. */
export interface ModelFiles extends Disposable {
  /** The Hugging Face folder it is; absent for the embedded model and for a single file. */
  folder?: string;
  /** The .gguf or .bin file it is, if it is one. */
  file?: string;
  /** Its shape. */
  config: ModelConfig;
  /** With the files it was opened from. */
  tokenizer: Tokenizer;
  /** Under Hugging Face's names, in its order of rows. */
  weights: TensorFile;
  /** RMS(E) of the base model: from softcot.json, or measured here where there is none (method section 2). */
  embeddingRms: number;
  /** Whether {@link embeddingRms} was measured now. */
  rmsMeasured: boolean;
  /** SHA-256 of the weight files' bytes, in hexadecimal; of base and adapter together where there are both. */
  hash(): string;
  /** An adapter that belongs on top: the name stood for one, and all else is its base model's. */
  adapter?: { folder: string; base: BaseModel };
}

/**
 * Opens the model of a name: `builtin` (the embedded one), a Hugging Face folder, the folder of a run, which stands for
 * its best checkpoint, else its newest, a file of GGUF or llama2.c (.gguf, .bin), a folder with exactly one of them, or
 * the name of a repository that was pulled from the hub. A run that trained an adapter stands for its base model with it.
 * @throws UserError if nothing is found, saying what was looked for, or what was found is damaged
 */
export function openModelFiles(name: string): ModelFiles {
  if (name === BUILTIN) {
    const { bytes, extras, ...files } = builtinModel();
    return complete({ ...files, hash: () => sha256Of([bytes]) }, extras.embeddingRms);
  }
  const adapter = findAdaptedModel(name);
  if (adapter !== undefined) return openAdapted(adapter);
  const { format, path } = locateModel(name);
  if (format === "gguf") return openGgufModel(path);
  if (format === "llama2c") return openLlama2cModel(path);
  const config = readModelConfig(path);
  const tokenizer = loadTokenizer(path);
  const { embeddingRms } = readExtras(path);
  const hash = () => sha256Of(weightFiles(path));
  return complete({ folder: path, config, tokenizer, weights: openWeights(path), hash }, embeddingRms);
}

/** The base model of an adapter, which has to be there as it was. */
function openAdapted(folder: string): ModelFiles {
  const { name, hash: expected } = baseOf(folder);
  const hint = `give the base model where it is: --model BASE --adapter ${folder}`;
  let files: ModelFiles;
  try {
    files = openModelFiles(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const cause = error.message.replace(/^Cannot /, "cannot ");
    throw new UserError(`Cannot open ${folder}: it is an adapter of the model ${name}: ${cause}`, hint);
  }
  const hash = files.hash();
  const refuse = (what: string) => {
    files[Symbol.dispose]();
    return new UserError(`Cannot open ${folder}: its base model ${name} ${what}`, hint);
  };
  if (files.adapter) throw refuse("has an adapter of its own, a whole model is needed");
  if (expected !== undefined && hash !== expected) {
    throw refuse(
      `is not the one it was trained on: sha256 ${hash.slice(0, 12)}, ${expected.slice(0, 12)} is needed`,
    );
  }
  return {
    ...files,
    embeddingRms: readExtras(folder).embeddingRms ?? files.embeddingRms,
    adapter: { folder, base: { name, hash } },
    hash: () => adaptedHash(hash, folder),
  };
}

/** SHA-256 that stands for a base model of that hash with the adapter of a folder. */
export const adaptedHash = (base: string, folder: string): string =>
  sha256Of([new TextEncoder().encode(base), modelFile(folder, ADAPTER_WEIGHTS)]);

function openGgufModel(path: string): ModelFiles {
  const gguf = openGguf(path);
  try {
    const config = ggufConfig(gguf);
    const tokenizer = loadTokenizer(ggufTokenizerFiles(gguf.metadata, path));
    const weights = ggufWeights(gguf, config.architecture, config.headDim);
    return complete(
      { file: path, config, tokenizer, weights, hash: () => sha256Of([path]) },
      undefined,
      false,
    );
  } catch (error) {
    gguf.close();
    throw error;
  }
}

function openLlama2cModel(path: string): ModelFiles {
  const { config, weights } = openLlama2c(path);
  try {
    const tokenizer = loadTokenizer(
      llama2cTokenizerFiles(readLlama2cTokenizer(path, config), config.vocabSize),
    );
    return complete({ file: path, config, tokenizer, weights, hash: () => sha256Of([path]) }, undefined);
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** Bytes that a tokenizer of llama2.c may have: one of 32,000 tokens has 433,869. */
const MOST_TOKENIZER = 64 * 2 ** 20;

/** The tokenizer beside a llama2.c model: `tok512.bin` for 512 tokens, else `tokenizer.bin`. */
function readLlama2cTokenizer(path: string, { vocabSize }: ModelConfig): Uint8Array {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  const names = [`tok${vocabSize}.bin`, "tokenizer.bin"];
  for (const name of names) {
    try {
      return readPlain(modelFile(folder, name), MOST_TOKENIZER);
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (error instanceof Deno.errors.NotFound) continue;
      throw new UserError(`Cannot read ${folder}/${name}: ${(error as Error).message}`);
    }
  }
  throw new UserError(
    `Cannot open the model ${path}: looked for its tokenizer beside it, ${names.join(" or ")}; none is there`,
    "put the tokenizer that llama2.c was given into the same folder",
  );
}

function complete(
  files: Omit<ModelFiles, "embeddingRms" | "rmsMeasured" | typeof Symbol.dispose>,
  knownRms: number | undefined,
  statesTied = true,
): ModelFiles {
  const where = files.folder ?? files.file ?? BUILTIN;
  try {
    const shape = withOwnEnd(files.config, files.tokenizer);
    const { config, weights } = settleHead(shape, files.weights, where, statesTied);
    checkTensors(weights, tensorShapes(config), where);
    refuseUnused(weights, config, where);
    const embeddingRms = knownRms ?? measureRms(weights, where);
    return {
      ...files,
      config,
      weights,
      embeddingRms,
      rmsMeasured: knownRms === undefined,
      [Symbol.dispose]: () => weights.close(),
    };
  } catch (error) {
    files.weights.close();
    throw error;
  }
}

/** The end token that the tokenizer's own files name ends a text, too, where the model's leave it out. */
function withOwnEnd(config: ModelConfig, { eosId }: Tokenizer): ModelConfig {
  const { eosTokenIds, vocabSize } = config;
  if (eosId === undefined || eosId >= vocabSize || eosTokenIds.includes(eosId)) return config;
  return { ...config, eosTokenIds: [...eosTokenIds, eosId] };
}

/** A bias or a norm that the model's shape has no place for would be left out without a word. */
function refuseUnused(weights: TensorFile, config: ModelConfig, where: string): void {
  const used = new Set(Array.from(tensorShapes(config), ({ name }) => name));
  for (const name of weights.tensors.keys()) {
    if (!name.startsWith("model.layers.") || used.has(name) || name.endsWith(".rotary_emb.inv_freq")) {
      continue;
    }
    throw new UserError(
      `Cannot open the model ${where}: it has a tensor ${JSON.stringify(name.slice(0, 100))}, which a ` +
        `${config.architecture} model of ${config.layers} layers has no place for`,
    );
  }
}

// 4 Mi elements, 16 MiB: fast, and small beside any model.
const PIECE = 4 * 1024 * 1024;

/** RMS(E) over all entries of the embedding, summed in f64. */
function measureRms(weights: TensorFile, where: string): number {
  let [sum, count] = [0, 0];
  const name = "model.embed_tokens.weight";
  const buffer = new Float32Array(Math.min(PIECE, weights.tensors.get(name)?.elements ?? 1));
  readPieces(weights, name, buffer, (piece) => {
    for (let i = 0; i < piece.length; i++) sum += piece[i] * piece[i];
    count += piece.length;
  });
  const rms = Math.sqrt(sum / count);
  if (Number.isFinite(rms) && rms > 0) return rms;
  throw new UserError(
    `Cannot open the model ${where}: its embedding holds ${
      rms === 0 ? "only zeros" : "numbers that are not finite"
    }`,
    "the file is damaged: get it again",
  );
}

/** What the hash is of: the files of the weights, and what else is called like one. */
function weightFiles(folder: string): string[] {
  const called = lookInto(folder).filter((entry) => /^model.*\.safetensors$/.test(entry));
  return [...new Set([...called, ...weightNames(folder)])].sort().map((entry) => modelFile(folder, entry));
}
