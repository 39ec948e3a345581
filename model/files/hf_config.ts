/**
 * Hugging Face's config.json to and from {@linkcode ModelConfig}: the one place that knows how the families
 * name their shapes.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import type { ModelConfig, RopeScaling } from "../transformer/config.ts";
import { findArchitecture } from "./architectures.ts";
import { checkShape } from "./check_shape.ts";
import { endTokenIds, type Fields, positiveNumber, shownField, wholeNumber } from "./config_fields.ts";
import { modelFile } from "./model_file.ts";
import { readPlainText } from "./plain_file.ts";
import { parseJson } from "./parse_json.ts";
import { ropeFields } from "./rope_fields.ts";

/**
 * Reads the shape of the model in a Hugging Face folder. End tokens are those of config.json and of
 * generation_config.json together: instruct models list their second one only there.
 *
 * @throws UserError if the file is missing, damaged, or of a model that is not supported
 */
export function readModelConfig(folder: string): ModelConfig {
  const path = modelFile(folder, "config.json");
  const config = readHfConfig(path);
  const generation = readJson(modelFile(folder, "generation_config.json"), false) as Fields | undefined;
  const more = endTokenIds(generation?.eos_token_id, config.vocabSize, `${folder}/generation_config.json`);
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...more])] };
}

/**
 * The shape that a config.json describes, whatever lies beside it.
 *
 * @throws UserError if the file is missing, damaged, or of a model that is not supported
 */
export const readHfConfig = (path: string): ModelConfig => parseHfConfig(readJson(path, true), path);

/**
 * The shape that a parsed config.json describes.
 *
 * @param json the parsed file
 * @param where what messages call it
 * @throws UserError if a value is missing, impossible, or asks for what is not supported
 */
export function parseHfConfig(json: unknown, where = "config.json"): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new UserError(
      `Cannot open the model by ${where}: it holds no JSON object, a Hugging Face file is needed`,
    );
  }
  const fields = json as Fields;
  const architecture = findArchitecture(fields.model_type, where);
  refuseUnsupported(fields, where);
  const count = (key: string, fallback?: number) => wholeNumber(fields, key, 1, where, fallback);
  const vocabSize = count("vocab_size");
  const hiddenSize = count("hidden_size");
  const heads = count("num_attention_heads");
  const maxPosition = count("max_position_embeddings", architecture === "llama" ? 2048 : 32_768);
  const config: ModelConfig = {
    architecture,
    vocabSize,
    hiddenSize,
    layers: count("num_hidden_layers"),
    heads,
    kvHeads: count("num_key_value_heads", heads),
    headDim: count("head_dim", architecture === "qwen3" ? 128 : hiddenSize / heads),
    intermediateSize: count("intermediate_size"),
    normEps: positiveNumber(fields, "rms_norm_eps", where, 1e-6),
    ...ropeFields(fields, maxPosition, where),
    tied: fields.tie_word_embeddings === true,
    qkvBias: architecture === "qwen2",
    qkNorm: architecture === "qwen3",
    maxPosition,
    eosTokenIds: endTokenIds(fields.eos_token_id, vocabSize, where),
    usedVocabSize: count(USED_VOCAB_KEY, vocabSize),
  };
  if (fields.bos_token_id != null) config.bosTokenId = wholeNumber(fields, "bos_token_id", 0, where);
  checkShape(config, where);
  return config;
}

/**
 * What config.json says of a model, in the order of transformers' own files.
 *
 * @param config its shape
 * @param dtype how its weights are stored
 * @throws Error if no family of Hugging Face has this shape
 */
export function toHfConfig(
  config: ModelConfig,
  dtype: "float32" | "float16" | "bfloat16" = "float32",
): Record<string, unknown> {
  const { architecture, vocabSize, usedVocabSize, eosTokenIds } = config;
  if (config.qkvBias !== (architecture === "qwen2") || config.qkNorm !== (architecture === "qwen3")) {
    throw new Error(
      `Cannot write config.json: a ${architecture} model has other biases or norms than this one`,
    );
  }
  const className = { llama: "LlamaForCausalLM", qwen2: "Qwen2ForCausalLM", qwen3: "Qwen3ForCausalLM" };
  return {
    architectures: [className[architecture]],
    ...(architecture === "qwen2" ? {} : { attention_bias: false }),
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: eosTokenIds.length > 1 ? eosTokenIds : eosTokenIds[0] ?? null,
    head_dim: config.headDim,
    hidden_act: "silu",
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPosition,
    ...(architecture === "llama" ? { mlp_bias: false } : {}),
    model_type: architecture,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.kvHeads,
    rms_norm_eps: config.normEps,
    rope_scaling: config.ropeScaling ? hfRopeScaling(config.ropeScaling) : null,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tied,
    torch_dtype: dtype,
    use_cache: true,
    vocab_size: vocabSize,
    ...(usedVocabSize === vocabSize ? {} : { [USED_VOCAB_KEY]: usedVocabSize }),
  };
}

/** A key of ours, which other readers of config.json pass over. */
const USED_VOCAB_KEY = "softcot_used_vocab_size";

function refuseUnsupported(fields: Fields, where: string): void {
  const refuse = (key: string, needed: string) => {
    throw new UserError(`Cannot open the model by ${where}: ${key} is ${shownField(fields[key])}, ${needed}`);
  };
  const { hidden_act: activation = "silu", use_sliding_window: sliding } = fields;
  if (activation !== "silu") refuse("hidden_act", '"silu" is needed');
  for (const key of ["attention_bias", "mlp_bias"]) {
    if (fields[key] != null && fields[key] !== false) refuse(key, "false is needed");
  }
  if (sliding != null && sliding !== false) refuse("use_sliding_window", "false is needed");
  if (fields.quantization_config != null) {
    refuse("quantization_config", "weights that are not quantised are needed");
  }
  if (fields.tie_word_embeddings != null && typeof fields.tie_word_embeddings !== "boolean") {
    refuse("tie_word_embeddings", "true or false is needed");
  }
}

function hfRopeScaling(scaling: RopeScaling): Fields {
  if (scaling.type === "linear") return { factor: scaling.factor, rope_type: "linear" };
  return {
    factor: scaling.factor,
    high_freq_factor: scaling.highFreqFactor,
    low_freq_factor: scaling.lowFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPosition,
    rope_type: "llama3",
  };
}

function readJson(path: string, isNeeded: boolean): unknown {
  try {
    return parseJson(readPlainText(path));
  } catch (error) {
    if (!isNeeded && error instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(
      `Cannot open the model by ${path}: ${(error as Error).message}`,
      "give the folder of a Hugging Face model",
    );
  }
}
