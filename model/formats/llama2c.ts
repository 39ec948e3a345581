/**
 * llama2.c's model files, the first ("legacy") form: seven 32-bit integers, then all weights as f32 in a fixed order.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { readHalfSplit, readHalfSplitRows } from "./half_split.ts";
import { openBytes, openFile, type RandomAccess } from "./random_access.ts";
import { readElements, readStoredRows } from "./read_elements.ts";
import { findTensor, type TensorEntry, type TensorFile } from "./tensor_file.ts";

/** An open llama2.c model. */
interface Llama2cFile {
  config: ModelConfig;
  /** Under Hugging Face names, in its order of rows. */
  weights: TensorFile;
}

/** llama2.c's own constants: the file does not hold them. */
const NORM_EPS = 1e-5;
const ROPE_THETA = 10_000;
const BOS_TOKEN = 1;
const EOS_TOKEN = 2;

const HEADER_BYTES = 28;
/** "ak42", which begins the later forms. */
const LATER_MAGIC = 0x616b3432;

/**
 * Opens a model file of llama2.c.
 *
 * @param source a path, or the file's bytes
 * @param label what messages call it; defaults to the path
 * @throws UserError if it cannot be opened, its header holds impossible numbers, or its size is not what they ask for
 */
export function openLlama2c(
  source: string | URL | Uint8Array<ArrayBuffer>,
  label = source instanceof Uint8Array ? "llama2.c file" : `${source}`,
): Llama2cFile {
  const bytes = source instanceof Uint8Array ? openBytes(source, label) : openFile(source, label);
  try {
    const config = readConfig(bytes);
    const tensors = layOut(config, bytes);
    return { config, weights: view(bytes, tensors, config) };
  } catch (error) {
    bytes.close();
    throw error;
  }
}

function readConfig(file: RandomAccess): ModelConfig {
  const refuse = (what: string) =>
    new UserError(
      `Cannot read ${file.label}: ${what}`,
      "the file is damaged, incomplete or no model of llama2.c: get it again",
    );
  if (file.size < HEADER_BYTES) throw refuse(`it has ${file.size} bytes, a header has ${HEADER_BYTES}`);
  const header = new Uint8Array(HEADER_BYTES);
  file.read(0, header);
  const view = new DataView(header.buffer);
  const numbers = Array.from({ length: 7 }, (_, i) => view.getInt32(4 * i, true));
  if (numbers[0] === LATER_MAGIC) {
    throw new UserError(
      `Cannot read ${file.label}: it is of version ${numbers[1]} of llama2.c's format, version 0 is needed`,
      "export it with --version 0",
    );
  }
  const [hiddenSize, intermediateSize, layers, heads, kvHeads, vocabulary, maxPosition] = numbers;
  // A negative vocabulary says that the LM head is a matrix of its own.
  const vocabSize = Math.abs(vocabulary);
  const names = ["width", "SwiGLU width", "number of layers", "number of heads", "number of key/value heads"];
  [hiddenSize, intermediateSize, layers, heads, kvHeads, vocabSize, maxPosition].forEach((value, i) => {
    const name = [...names, "vocabulary", "context"][i];
    if (value < 1 || value > 2 ** 24) throw refuse(`its ${name} is ${value}, 1 to 2^24 is possible`);
  });
  const headDim = hiddenSize / heads;
  if (headDim % 4 !== 0 || heads % kvHeads !== 0) {
    throw refuse(
      `${heads} heads (${kvHeads} for keys and values) share a width of ${hiddenSize}, whole heads of a multiple ` +
        "of 4 are needed",
    );
  }
  return {
    ...{ architecture: "llama", vocabSize, hiddenSize, layers, heads, kvHeads, headDim, intermediateSize },
    ...{ normEps: NORM_EPS, ropeTheta: ROPE_THETA, tied: vocabulary > 0, qkvBias: false, qkNorm: false },
    ...{ maxPosition, bosTokenId: BOS_TOKEN, usedVocabSize: vocabSize },
    // Its training data has the beginning token between texts, so that models say it at their end.
    eosTokenIds: [EOS_TOKEN, BOS_TOKEN].filter((id) => id < vocabSize),
  };
}

/** The tensors, one kind after the other for all layers; the tables of sines and cosines are passed over. */
function layOut(config: ModelConfig, file: RandomAccess): Map<string, TensorEntry> {
  const { vocabSize, hiddenSize: d, layers, heads, kvHeads, headDim, intermediateSize: f } = config;
  const [q, kv] = [heads * headDim, kvHeads * headDim];
  const tensors = new Map<string, TensorEntry>();
  let at = HEADER_BYTES;
  const add = (name: string, shape: number[]) => {
    const elements = shape.reduce((product, n) => product * n, 1);
    tensors.set(name, { name, dtype: "F32", shape, elements, begin: at, end: at += 4 * elements });
  };
  const eachLayer = (name: string, shape: number[]) => {
    for (let i = 0; i < layers && at <= file.size; i++) add(`model.layers.${i}.${name}.weight`, shape);
  };
  add("model.embed_tokens.weight", [vocabSize, d]);
  eachLayer("input_layernorm", [d]);
  eachLayer("self_attn.q_proj", [q, d]);
  eachLayer("self_attn.k_proj", [kv, d]);
  eachLayer("self_attn.v_proj", [kv, d]);
  eachLayer("self_attn.o_proj", [d, q]);
  eachLayer("post_attention_layernorm", [d]);
  eachLayer("mlp.gate_proj", [f, d]);
  eachLayer("mlp.down_proj", [d, f]);
  eachLayer("mlp.up_proj", [f, d]);
  add("model.norm.weight", [d]);
  at += 4 * config.maxPosition * headDim;
  if (!config.tied) add("lm_head.weight", [vocabSize, d]);
  if (at === file.size) return tensors;
  throw new UserError(
    `Cannot read ${file.label}: it has ${file.size} bytes, its header asks for ${
      at > file.size ? "more" : String(at)
    }`,
    "the file is damaged, incomplete or no model of llama2.c: get it again",
  );
}

function view(file: RandomAccess, tensors: Map<string, TensorEntry>, { headDim }: ModelConfig): TensorFile {
  const isInterleaved = (name: string) => /\.self_attn\.[qk]_proj\.weight$/.test(name);
  const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) => {
    const entry = findTensor(tensors, name, file.label);
    if (!isInterleaved(name)) return readElements(file, entry, from, out);
    readHalfSplit((at, head) => readElements(file, entry, at, head), entry.shape[1], headDim, from, out);
  };
  const readStored = (name: string, row: number, out: Uint8Array<ArrayBuffer>) => {
    const entry = findTensor(tensors, name, file.label);
    const readRows = (at: number, rows: Uint8Array<ArrayBuffer>) => readStoredRows(file, entry, at, rows);
    if (!isInterleaved(name)) return readRows(row, out);
    readHalfSplitRows(readRows, 4 * entry.shape[1], headDim, row, out);
  };
  return { tensors, metadata: {}, read, readStored, close: () => file.close() };
}
