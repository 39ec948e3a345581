import { UserError } from "../../gpu/errors.ts";
import { writeGgufTokens } from "../tokenizer/write_gguf_tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { scaledFrequency } from "../transformer/rope_table.ts";
import type { WrittenType } from "./encode_elements.ts";
import type { TypedValue } from "./gguf_writer.ts";

/** llama.cpp's numbers for what most of a file's weights are. */
const FILE_TYPE: Readonly<Record<WrittenType, number>> = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };

/** What is written into a GGUF file beside the weights. */
interface GgufDescription {
  config: ModelConfig;
  tokenizer: Tokenizer;
  /** For people. */
  name: string;
  /** Of the matrices. */
  dtype: WrittenType;
}

/**
 * The metadata of a GGUF file, by the keys that llama.cpp reads: shape, RoPE, tokenizer.
 *
 * @throws UserError if GGUF has no way to say it
 */
export function ggufMetadata({ config, tokenizer, name, dtype }: GgufDescription): Map<string, TypedValue> {
  const { architecture } = config;
  const entries = new Map<string, TypedValue>();
  const own = (key: string, type: "u32" | "f32", value: number) =>
    entries.set(`${architecture}.${key}`, { type, value });
  entries.set("general.architecture", { type: "string", value: architecture });
  entries.set("general.type", { type: "string", value: "model" });
  entries.set("general.name", { type: "string", value: name });
  entries.set("general.file_type", { type: "u32", value: FILE_TYPE[dtype] });
  if (dtype === "Q8_0") entries.set("general.quantization_version", { type: "u32", value: 2 });
  own("vocab_size", "u32", config.vocabSize);
  own("context_length", "u32", config.maxPosition);
  own("embedding_length", "u32", config.hiddenSize);
  own("block_count", "u32", config.layers);
  own("feed_forward_length", "u32", config.intermediateSize);
  own("attention.head_count", "u32", config.heads);
  own("attention.head_count_kv", "u32", config.kvHeads);
  own("attention.key_length", "u32", config.headDim);
  own("attention.value_length", "u32", config.headDim);
  own("attention.layer_norm_rms_epsilon", "f32", config.normEps);
  own("rope.dimension_count", "u32", config.headDim);
  own("rope.freq_base", "f32", config.ropeTheta);
  const { ropeScaling } = config;
  if (ropeScaling?.type === "linear") {
    entries.set(`${architecture}.rope.scaling.type`, { type: "string", value: "linear" });
    own("rope.scaling.factor", "f32", ropeScaling.factor);
  }
  if (ropeScaling?.type === "llama3" && architecture !== "llama") {
    throw new UserError(
      `Cannot write a GGUF file: llama.cpp knows Llama 3's RoPE scaling for llama alone, the model is ${architecture}`,
      "export as safetensors",
    );
  }
  for (const [key, value] of writeGgufTokens(tokenizer, config)) entries.set(key, value);
  return entries;
}

/** What the rotary frequencies are divided by, [headDim / 2], where Llama 3's scaling does it. */
export function ropeDivisors(
  { ropeScaling, ropeTheta, headDim }: ModelConfig,
): Float32Array<ArrayBuffer> | undefined {
  if (ropeScaling?.type !== "llama3") return undefined;
  const half = headDim / 2;
  return Float32Array.from({ length: half }, (_, i) => {
    const frequency = ropeTheta ** (-i / half);
    return frequency / scaledFrequency(ropeScaling, frequency);
  });
}
