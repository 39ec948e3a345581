import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { saveModel } from "../../../model/files/checkpoint.ts";
import { initialise } from "../../../model/transformer/init.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { createModel } from "../../../model/transformer/transformer.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";

const CONFIG: ModelConfig = {
  architecture: "llama",
  vocabSize: 260,
  hiddenSize: 16,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  headDim: 8,
  intermediateSize: 32,
  normEps: 1e-5,
  ropeTheta: 10000,
  tied: true,
  qkvBias: false,
  qkNorm: false,
  maxPosition: 2048,
  eosTokenIds: [256],
  usedVocabSize: 257,
};

/** Bytes as GPT-2 spells them in a vocabulary: printable ones as they are, the others from U+0100 on. */
function spelledBytes(): string[] {
  let next = 256;
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** Writes a model of random weights that can read and write any text, a token for each byte. */
export async function byteModel(folder: string): Promise<string> {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  const special = {
    id: 256,
    content: "<|end|>",
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
  };
  const definition = {
    version: "1.0",
    added_tokens: [{ ...special, normalized: false }],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      vocab: Object.fromEntries([...spelledBytes(), "<|end|>"].map((token, id) => [token, id])),
      merges: [],
    },
  };
  const tokenizer = loadTokenizer({ "tokenizer.json": JSON.stringify(definition) });
  const gpu = await openGpu();
  const model = createModel(gpu, CONFIG);
  initialise(gpu, CONFIG, model.params, 0);
  await saveModel({ model, tokenizer, source: "test" }, `${folder}/bytes`, "F32", {});
  gpu.close();
  return `${folder}/bytes`;
}
