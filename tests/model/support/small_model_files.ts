/** Small whole models in each format, made here byte by byte: what damaged files are made from. */
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { createSafetensors } from "../../../model/formats/safetensors_writer.ts";
import { toHfConfig } from "../../../model/files/hf_config.ts";
import { tensorShapes } from "../../../model/transformer/params.ts";
import { ggufTensorName } from "../../../model/formats/gguf_weights.ts";
import { BYTE_LETTERS } from "./byte_level_files.ts";
import { SMALL, tokenizer } from "./small_models.ts";

const BASE: ModelConfig = {
  ...SMALL,
  ...{ hiddenSize: 8, heads: 2, kvHeads: 1, headDim: 4, intermediateSize: 12, maxPosition: 64 },
};

type Bytes = Uint8Array<ArrayBuffer>;

/** A file by its name. */
export type Files = Record<string, Bytes>;

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

const valuesOf = (elements: number) => Float32Array.from({ length: elements }, (_, i) => Math.sin(i) / 4);

const elementsOf = (shape: number[]) => shape.reduce((product, n) => product * n, 1);

function join(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A Hugging Face folder with the embedded model's tokenizer: one file of weights, or two shards with their index. */
export function huggingFaceFiles(sharded: boolean): Files {
  const folder = Deno.makeTempDirSync();
  try {
    const tensors = Array.from(tensorShapes(BASE));
    const parts = sharded ? [tensors.slice(0, 9), tensors.slice(9)] : [tensors];
    const weightMap: Record<string, string> = {};
    const files: Files = {};
    parts.forEach((part, i) => {
      const name = sharded ? `model-0000${i + 1}-of-00002.safetensors` : "model.safetensors";
      const specs = part.map(({ name, shape }, t) => ({
        name,
        shape,
        dtype: (["F32", "F16", "BF16"] as const)[t % 3],
      }));
      const writer = createSafetensors(`${folder}/${name}`, specs);
      for (const { name: tensor, shape } of part) {
        writer.write(tensor, valuesOf(elementsOf(shape)));
        weightMap[tensor] = name;
      }
      writer.finish();
      files[name] = Deno.readFileSync(`${folder}/${name}`);
    });
    if (sharded) files["model.safetensors.index.json"] = utf8(JSON.stringify({ weight_map: weightMap }));
    files["config.json"] = utf8(JSON.stringify(toHfConfig(BASE), null, 1));
    files["softcot.json"] = utf8(JSON.stringify({ embeddingRms: 0.125 }));
    for (const [name, text] of Object.entries(tokenizer.files)) {
      if (text !== undefined) files[name] = utf8(text);
    }
    return files;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const i32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
const f32 = (values: Float32Array) => new Uint8Array(values.buffer as ArrayBuffer, 0, values.byteLength);

/** A model of llama2.c with its tokenizer: three special tokens, 256 bytes and some pieces. */
export function llama2cFiles(): Files {
  const pieces = ["<unk>", "\n<s>\n", "\n</s>\n"];
  for (let byte = 0; byte < 256; byte++) {
    pieces.push(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  }
  pieces.push(" t", "he", " a", "in", " ", "t", "h", "e", "a", "i", "n");
  const tokens = pieces.map((piece, i) => {
    const text = utf8(piece);
    return join([f32(Float32Array.of(-i)), i32(text.length), text]);
  });
  const { hiddenSize: d, intermediateSize: f, layers, heads, kvHeads, headDim, maxPosition } = BASE;
  const config = { ...BASE, vocabSize: pieces.length };
  const count = Array.from(tensorShapes(config)).reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  return {
    "small.bin": join([
      i32(d, f, layers, heads, kvHeads, pieces.length, maxPosition),
      f32(valuesOf(count + maxPosition * headDim)),
    ]),
    "tokenizer.bin": join([i32(7), ...tokens]),
  };
}

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => join([u64(utf8(value).length), utf8(value)]);

/** A GGUF file with a byte-level tokenizer, and tensors in F32, Q8_0 and Q4_0. */
export function ggufFiles(): Files {
  const tokens = [...BYTE_LETTERS, "Ġt", "he", "Ġthe", "<|endoftext|>"];
  const config: ModelConfig = { ...BASE, vocabSize: tokens.length, hiddenSize: 32, headDim: 16 };
  const array = (type: number, parts: Uint8Array[]) => join([u32(9), u32(type), u64(parts.length), ...parts]);
  const whole = (value: number) => join([u32(4), u32(value)]);
  const word = (value: string) => join([u32(8), text(value)]);
  const float = (value: number) => join([u32(6), f32(Float32Array.of(value))]);
  const metadata: [string, Uint8Array][] = [
    ["general.architecture", word("llama")],
    ["llama.block_count", whole(config.layers)],
    ["llama.context_length", whole(config.maxPosition)],
    ["llama.embedding_length", whole(config.hiddenSize)],
    ["llama.feed_forward_length", whole(config.intermediateSize)],
    ["llama.attention.head_count", whole(config.heads)],
    ["llama.attention.head_count_kv", whole(config.kvHeads)],
    ["llama.attention.layer_norm_rms_epsilon", float(1e-5)],
    ["llama.rope.freq_base", float(10_000)],
    ["tokenizer.ggml.model", word("gpt2")],
    ["tokenizer.ggml.pre", word("smollm")],
    ["tokenizer.ggml.tokens", array(8, tokens.map(text))],
    ["tokenizer.ggml.token_type", array(5, tokens.map((token) => i32(token.startsWith("<|") ? 3 : 1)))],
    ["tokenizer.ggml.merges", array(8, ["Ġ t", "h e", "Ġt he"].map(text))],
    ["tokenizer.ggml.eos_token_id", whole(tokens.length - 1)],
    ["tokenizer.ggml.add_bos_token", join([u32(7), Uint8Array.of(0)])],
  ];
  const infos: Uint8Array[] = [];
  const data: Uint8Array[] = [];
  let offset = 0;
  for (const { name, shape } of tensorShapes(config)) {
    const type = name.includes("embed") || name.includes("q_proj") ? 8 : name.includes("up_proj") ? 2 : 0;
    const bytes = elementsOf(shape) / 32 * (type === 8 ? 34 : type === 2 ? 18 : 128);
    infos.push(join([
      text(ggufTensorName(name)!),
      u32(shape.length),
      ...shape.toReversed().map(u64),
      u32(type),
      u64(offset),
    ]));
    const stored = new Uint8Array(Math.ceil(bytes / 32) * 32);
    if (type === 0) stored.set(f32(valuesOf(elementsOf(shape))));
    else stored.forEach((_, i) => stored[i] = i % (type === 8 ? 34 : 18) === 1 ? 0x20 : i % 251);
    data.push(stored);
    offset += stored.length;
  }
  const head = join([
    ...[utf8("GGUF"), u32(3), u64(infos.length), u64(metadata.length)],
    ...metadata.flatMap(([key, value]) => [text(key), value]),
    ...infos,
  ]);
  return { "small.gguf": join([head, new Uint8Array((32 - head.length % 32) % 32), ...data]) };
}
