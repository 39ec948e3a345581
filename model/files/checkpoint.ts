import type { Gpu } from "../../gpu/gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { downloadMatrix, type Matrix } from "../../gpu/matrix.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import { createSafetensors, syncFolder } from "../formats/safetensors_writer.ts";
import { toHfConfig } from "./hf_config.ts";
import type { ModelConfig } from "../transformer/config.ts";
import type { BaseModel } from "../transformer/adapter.ts";
import { namedTensors, type Trainable } from "../transformer/params.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";
import { createPieces, uploadTensor } from "../weights/upload_tensor.ts";

/** A model with its tokenizer, and where it came from. */
export interface LoadedModel {
  /** On the device. */
  model: Model;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Folder or name, for messages. */
  source: string;
}

/**
 * Holds a file against what a model asks for, before anything is made for it.
 * @throws UserError if a tensor is missing or has another shape
 */
export function checkTensors(
  file: TensorFile,
  expected: Iterable<{ name: string; shape: number[] }>,
  where: string,
): void {
  for (const { name, shape } of expected) {
    const found = file.tensors.get(name);
    if (!found) {
      throw new UserError(`Cannot load ${where}: it has no tensor ${name}, which the model's shape asks for`);
    }
    if (found.shape.join() !== shape.join()) {
      throw new UserError(
        `Cannot load ${where}: ${name} is [${found.shape.join(", ")}], the model's shape asks for [${
          shape.join(", ")
        }]`,
      );
    }
  }
}

/**
 * Fills weights (or moments of the same form, their names after a prefix) from a file, in pieces.
 * @param onProgress told after each tensor how many bytes of the file have been read, and of how many
 * @throws UserError if a tensor is missing or has another shape, or a number is too large for its matrix's type
 */
export function readParams(
  gpu: Gpu,
  config: ModelConfig,
  file: TensorFile,
  params: Trainable,
  where: string,
  prefix = "",
  onProgress?: (done: number, total: number) => void,
): void {
  const tensors = namedTensors(config, params).map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  checkTensors(file, tensors, where);
  const pieces = createPieces(Math.max(...tensors.map(({ matrix }) => matrix.cols)));
  const sizes = tensors.map(({ name }) => file.tensors.get(name)!).map(({ begin, end }) => end - begin);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  tensors.forEach((tensor, i) => {
    uploadTensor(gpu, file, tensor, pieces);
    onProgress?.(done += sizes[i], total);
  });
}

/** Writes weights (or moments), or those that `keeps` names, under their Hugging Face names, as f32 or f16. */
export async function writeParams(
  gpu: Gpu,
  config: ModelConfig,
  sets: readonly { prefix: string; params: Trainable }[],
  path: string,
  dtype: "F32" | "F16",
  metadata: Record<string, string> = { format: "pt" },
  keeps: (name: string) => boolean = () => true,
): Promise<void> {
  const tensors = sets.flatMap(({ prefix, params }) =>
    namedTensors(config, params).map((tensor) => ({ ...tensor, name: prefix + tensor.name }))
  ).filter(({ name }) => keeps(name));
  const writer = createSafetensors(
    path,
    tensors.map(({ name, shape }) => ({ name, dtype, shape })),
    metadata,
  );
  try {
    // Q, K and V come from one matrix: it is read once.
    let last: { matrix: Matrix; data: Float32Array<ArrayBuffer> } | undefined;
    for (const { name, shape, matrix, row } of tensors) {
      if (last?.matrix !== matrix) last = { matrix, data: await downloadMatrix(gpu, matrix) };
      const elements = shape.reduce((product, n) => product * n, 1);
      writer.write(name, last.data.subarray(row * matrix.cols, row * matrix.cols + elements));
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** Facts kept beside the model in softcot.json. */
export interface ModelExtras {
  /** RMS of the base model's embedding: the unit of the noise, measured once (method section 2). */
  embeddingRms?: number;
  /** What an adapter was trained on. */
  base?: BaseModel;
}

/** Writes a model as a Hugging Face folder that transformers loads. The folder is made if need be. */
export async function saveModel(
  loaded: LoadedModel,
  folder: string,
  dtype: "F32" | "F16",
  extras: ModelExtras,
): Promise<void> {
  const { model: { gpu, config, params }, tokenizer } = loaded;
  Deno.mkdirSync(folder, { recursive: true });
  await writeParams(gpu, config, [{ prefix: "", params }], `${folder}/model.safetensors`, dtype);
  const json = (data: unknown) => JSON.stringify(data, null, 2) + "\n";
  writeWhole(`${folder}/config.json`, json(toHfConfig(config, dtype === "F16" ? "float16" : "float32")));
  writeWhole(`${folder}/softcot.json`, json(extras));
  for (const [name, text] of Object.entries(tokenizer.files)) {
    if (text !== undefined) writeWhole(`${folder}/${name}`, text);
  }
  syncFolder(folder);
}

/**
 * Reads softcot.json; a model without one has no extras.
 * @throws UserError if it cannot be read or holds something else
 */
export function readExtras(folder: string): ModelExtras {
  const refuse = (what: string) => new UserError(`Cannot read ${folder}/softcot.json: ${what} is needed`);
  let extras: unknown;
  try {
    extras = JSON.parse(Deno.readTextFileSync(`${folder}/softcot.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return {};
    throw refuse(`${(error as Error).message}, JSON`);
  }
  if (typeof extras !== "object" || extras === null) throw refuse("it holds no object, one");
  const { embeddingRms } = extras as ModelExtras;
  if (embeddingRms === undefined || Number.isFinite(embeddingRms) && embeddingRms > 0) return extras;
  throw refuse(`embeddingRms is ${JSON.stringify(embeddingRms)?.slice(0, 40)}, a number above 0`);
}

/** Writes a file that is whole or absent: beside, flushed, renamed. */
export function writeWhole(path: string, text: string): void {
  const beside = `${path}.tmp`;
  using file = Deno.openSync(beside, { write: true, create: true, truncate: true });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.syncSync();
  Deno.renameSync(beside, path);
}
