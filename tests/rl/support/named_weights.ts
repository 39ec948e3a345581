/** What the tests of the reinforcement room share: small models with known weights, and gradients by name. */
import { assert } from "@std/assert";
import type { Gpu } from "../../../gpu/gpu.ts";
import { downloadMatrix, uploadRows } from "../../../gpu/matrix.ts";
import { builtinTokenizer } from "../../../model/builtin/tokenizer.ts";
import { PADDED_VOCAB_SIZE } from "../../../model/builtin/words.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { initialise, rootMeanSquare } from "../../../model/transformer/init.ts";
import { namedTensors, type Trainable } from "../../../model/transformer/params.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { createModel, type Model } from "../../../model/transformer/transformer.ts";

/** Fills parameters (or moments) from arrays by Hugging Face name. */
export function uploadNamed(
  gpu: Gpu,
  config: ModelConfig,
  params: Trainable,
  values: ReadonlyMap<string, ArrayLike<number>>,
): void {
  for (const { name, matrix, row } of namedTensors(config, params)) {
    const data = values.get(name);
    assert(data, `no values for ${name}`);
    uploadRows(gpu, matrix, row, Float32Array.from(data));
  }
}

/** Parameters, gradients or moments as arrays by Hugging Face name. */
export async function downloadNamed(
  gpu: Gpu,
  config: ModelConfig,
  params: Trainable,
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const found = new Map<string, Float32Array<ArrayBuffer>>();
  for (const { name, shape, matrix, row } of namedTensors(config, params)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const whole = await downloadMatrix(gpu, matrix);
    found.set(name, whole.slice(row * matrix.cols, row * matrix.cols + size));
  }
  return found;
}

/** sum |a - b|^2 / sum |b|^2 over all tensors. */
export function gradientError(
  actual: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, ArrayLike<number>>,
): number {
  let error = 0;
  let size = 0;
  for (const [name, theirs] of expected) {
    const ours = actual.get(name)!;
    assert(ours.length === theirs.length, `${name}: ${ours.length} and ${theirs.length} values`);
    for (let i = 0; i < theirs.length; i++) {
      error += (ours[i] - theirs[i]) ** 2;
      size += theirs[i] ** 2;
    }
  }
  return error === 0 ? 0 : error / size;
}

/** A small random model with the embedded tokenizer, two blocks and grouped heads. */
export function randomModel(gpu: Gpu, overrides: Partial<ModelConfig> = {}, seed = 1) {
  const tokenizer: Tokenizer = builtinTokenizer();
  const config: ModelConfig = {
    architecture: "llama",
    vocabSize: PADDED_VOCAB_SIZE,
    hiddenSize: 24,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    intermediateSize: 36,
    normEps: 1e-5,
    ropeTheta: 10000,
    tied: true,
    qkvBias: false,
    qkNorm: false,
    maxPosition: 128,
    eosTokenIds: tokenizer.eosId === undefined ? [] : [tokenizer.eosId],
    usedVocabSize: tokenizer.size,
    ...overrides,
  };
  const model: Model = createModel(gpu, config);
  initialise(gpu, config, model.params, seed);
  return { model, tokenizer };
}

/** RMS(E) of a model: the unit of the noise. */
export async function embeddingRms({ gpu, params }: Model): Promise<number> {
  return rootMeanSquare(await downloadMatrix(gpu, params.embedding));
}
