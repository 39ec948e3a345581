/**
 * A GGUF file's metadata as {@linkcode ModelConfig}.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { findArchitecture } from "../files/architectures.ts";
import { checkShape } from "../files/check_shape.ts";
import { ggufEndTokenIds } from "../tokenizer/gguf_end_tokens.ts";
import { TokenType } from "../tokenizer/gguf_values.ts";
import type { ModelConfig, RopeScaling } from "../transformer/config.ts";
import { scaledFrequency } from "../transformer/rope_table.ts";
import type { GgufFile } from "./gguf.ts";
import type { GgufValue } from "./gguf_header.ts";
import { ROPE_FACTORS } from "./gguf_weights.ts";
import { readElements } from "./read_elements.ts";

/**
 * The shape of the model in a GGUF file.
 *
 * @throws UserError if a value is missing, impossible, or asks for what is not supported
 */
export function ggufConfig(gguf: GgufFile): ModelConfig {
  const { metadata, tensors, label } = gguf;
  const refuse = (what: string, hint?: string) =>
    new UserError(`Cannot open the model ${label}: ${what}`, hint);
  const architecture = findArchitecture(metadata.get("general.architecture"), label);
  const { whole, positive, absent } = fieldsOf(metadata, architecture, refuse);
  absent("expert_count", "mixture of experts");
  absent("attention.sliding_window", "a sliding window");
  if (Number(metadata.get("split.count") ?? 1) > 1) {
    throw refuse("it is one of several parts", "join them with llama.cpp's gguf-split --merge");
  }
  const embedding = tensors.get("token_embd.weight");
  if (embedding?.shape.length !== 2) {
    throw refuse("it has no matrix token_embd.weight, which every model needs");
  }
  const [vocabSize, hiddenSize] = [embedding.shape[0], whole("embedding_length")];
  const heads = whole("attention.head_count");
  const headDim = whole("attention.key_length", hiddenSize / heads);
  for (const key of ["attention.value_length", "rope.dimension_count"]) {
    if (whole(key, headDim) !== headDim) {
      throw refuse(`${architecture}.${key} is ${whole(key)}, the width of a head, ${headDim}, is needed`);
    }
  }
  const base = {
    architecture,
    vocabSize,
    hiddenSize,
    layers: whole("block_count"),
    heads,
    kvHeads: whole("attention.head_count_kv", heads),
    headDim,
    intermediateSize: whole("feed_forward_length"),
    normEps: positive("attention.layer_norm_rms_epsilon"),
    ropeTheta: positive("rope.freq_base", 10_000),
    tied: !tensors.has("output.weight"),
    qkvBias: architecture === "qwen2",
    qkNorm: architecture === "qwen3",
    maxPosition: whole("context_length"),
    eosTokenIds: endTokens(metadata, vocabSize, refuse),
    usedVocabSize: usedTokens(metadata, vocabSize, refuse),
  };
  const scaling = ropeScaling(gguf, base, refuse);
  const bos = metadata.get("tokenizer.ggml.bos_token_id");
  const config: ModelConfig = {
    ...base,
    ...(scaling ? { ropeScaling: scaling } : {}),
    ...(isId(bos, vocabSize) ? { bosTokenId: bos } : {}),
  };
  checkShape(config, label);
  return config;
}

type Metadata = ReadonlyMap<string, GgufValue>;
type Refuse = (what: string, hint?: string) => UserError;

const show = (value: GgufValue | undefined) => value === undefined ? "not given" : `${value}`.slice(0, 80);

function fieldsOf(metadata: Metadata, architecture: string, refuse: Refuse) {
  const get = (key: string) => metadata.get(`${architecture}.${key}`);
  return {
    whole(key: string, fallback?: number): number {
      const value = get(key) ?? fallback;
      if (Number.isInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31) {
        return value as number;
      }
      throw refuse(`${architecture}.${key} is ${show(value)}, a whole number from 1 on is needed`);
    },
    positive(key: string, fallback?: number): number {
      const value = get(key) ?? fallback;
      if (typeof value === "number" && value > 0 && Number.isFinite(value)) return shortest(value);
      throw refuse(`${architecture}.${key} is ${show(value)}, a number above 0 is needed`);
    },
    absent(key: string, what: string): void {
      if (Number(get(key) ?? 0) === 0) return;
      throw refuse(`${architecture}.${key} is ${show(get(key))}: ${what} is not supported`);
    },
  };
}

/** The decimal that was meant by a number stored as f32: 1e-5, not 0.000009999999747378752. */
function shortest(value: number): number {
  for (const digits of [6, 7, 8]) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}

const isId = (value: GgufValue | undefined, vocabSize: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < vocabSize;

function listOf(metadata: Metadata, key: string): GgufValue[] {
  const value = metadata.get(key);
  return Array.isArray(value) ? value : [];
}

function endTokens(metadata: Metadata, vocabSize: number, refuse: Refuse): number[] {
  let ids: number[];
  try {
    ids = metadata.has("tokenizer.ggml.tokens") ? ggufEndTokenIds(metadata) : [];
  } catch (error) {
    throw error instanceof UserError ? refuse(`of its tokenizer, ${error.message}`) : error;
  }
  const beyond = ids.find((id) => id >= vocabSize);
  if (beyond === undefined) return ids;
  throw refuse(`its end token is ${beyond}, an id below ${vocabSize} is needed`);
}

/** Padding of the vocabulary is either left out of the tokens or marked as unused at their end. */
function usedTokens(metadata: Metadata, vocabSize: number, refuse: Refuse): number {
  const count = listOf(metadata, "tokenizer.ggml.tokens").length || vocabSize;
  if (count > vocabSize) throw refuse(`it has ${count} tokens for an embedding of ${vocabSize} rows`);
  const types = listOf(metadata, "tokenizer.ggml.token_type");
  let used = count;
  while (used > 1 && types[used - 1] === TokenType.unused) used--;
  return used;
}

function ropeScaling(
  gguf: GgufFile,
  config: Pick<ModelConfig, "architecture" | "headDim" | "ropeTheta">,
  refuse: Refuse,
): RopeScaling | undefined {
  const { metadata } = gguf;
  const prefix = `${config.architecture}.rope`;
  const type = metadata.get(`${prefix}.scaling.type`) ?? "none";
  const factor = metadata.get(`${prefix}.scaling.factor`) ?? metadata.get(`${prefix}.scale_linear`) ?? 1;
  if (gguf.tensors.has(ROPE_FACTORS)) return llama3Scaling(gguf, config, refuse);
  const isLinear = type === "linear" || !metadata.has(`${prefix}.scaling.type`);
  if (!isLinear && type !== "none") {
    throw refuse(`${prefix}.scaling.type is ${show(type)}, linear or none is needed`);
  }
  if (!isLinear || factor === 1 || factor === 0) return undefined;
  if (typeof factor === "number" && factor > 0 && Number.isFinite(factor)) {
    return { type: "linear", factor: shortest(factor) };
  }
  throw refuse(`${prefix}.scaling.factor is ${show(factor)}, a number above 0 is needed`);
}

/**
 * Llama 3's scaling from the divisors of the frequencies that rope_freqs.weight holds. They come from four numbers:
 * the factor is the largest divisor; the bounds of the blend are 1 and 4 in every Llama 3; the context at first follows
 * from any blended divisor. The result must give back all divisors.
 */
function llama3Scaling(
  gguf: GgufFile,
  { architecture, headDim, ropeTheta }: Pick<ModelConfig, "architecture" | "headDim" | "ropeTheta">,
  refuse: Refuse,
): RopeScaling | undefined {
  const entry = gguf.tensors.get(ROPE_FACTORS)!;
  const half = headDim / 2;
  if (entry.elements !== half) {
    throw refuse(
      `${ROPE_FACTORS} has ${entry.elements} divisors, one for each of ${half} frequencies is needed`,
    );
  }
  const divisors = new Float32Array(half);
  readElements(gguf.bytes, entry, 0, divisors);
  if (divisors.every((divisor) => divisor === 1)) return undefined;
  const [lowFreqFactor, highFreqFactor] = [1, 4];
  const factor = shortest(Math.max(...divisors));
  const frequency = (i: number) => ropeTheta ** (-i / half);
  const contexts: number[] = [];
  divisors.forEach((divisor, i) => {
    if (divisor === 1 || divisor === Math.fround(factor)) return;
    const smooth = (1 / divisor - 1 / factor) / (1 - 1 / factor);
    const wavelength = 2 * Math.PI / frequency(i);
    contexts.push(Math.round(wavelength * (smooth * (highFreqFactor - lowFreqFactor) + lowFreqFactor)));
  });
  const declared = gguf.metadata.get(`${architecture}.rope.scaling.original_context_length`);
  if (typeof declared === "number") contexts.push(declared);
  // Where no divisor is blended, any context that parts the long waves from the short will do.
  for (let context = 8192; context <= 2 ** 20; context *= 2) contexts.push(context);
  for (let context = 4096; context >= 16; context /= 2) contexts.push(context);
  for (const originalMaxPosition of contexts) {
    const ropeScaling: RopeScaling = {
      type: "llama3",
      factor,
      lowFreqFactor,
      highFreqFactor,
      originalMaxPosition,
    };
    const fits = divisors.every((divisor, i) => {
      const scaled = frequency(i) / scaledFrequency(ropeScaling, frequency(i));
      return Math.abs(scaled - divisor) <= 1e-5 * divisor;
    });
    if (fits && Number.isFinite(factor)) return ropeScaling;
  }
  throw refuse(`${ROPE_FACTORS} holds divisors that Llama 3's scaling of frequencies does not give`);
}
