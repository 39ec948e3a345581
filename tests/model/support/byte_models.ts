/**
 * Small random models of each family with a tokenizer of bytes, special tokens and a chat template: all that an export
 * has to carry.
 *
 * @module
 */
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { PRE_TOKENIZERS } from "../../../model/tokenizer/pre_tokenizers.ts";
import { loadTokenizer, type Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles } from "./byte_level_files.ts";
import { SMALL } from "./small_models.ts";

/** Tokens of {@link byteTokenizer}: 256 bytes, merges, special ones. */
const MERGES: [string, string][] = [["t", "h"], ["th", "e"], ["\u0120", "the"], ["a", "n"], ["1", "2"]];
const SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|pad|>"];
const BYTE_TOKENS = 256 + MERGES.length + SPECIAL.length;
export const [BOS, EOS, EOT, PAD] = SPECIAL.map((_, i) => 256 + MERGES.length + i);

export const TEMPLATE =
  "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<|eot_id|>\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/**
 * A tokenizer of single bytes and a few merges.
 *
 * @param pre how it cuts texts, by GGUF's name
 * @param addsBos whether `<|begin_of_text|>` is prepended
 */
export function byteTokenizer(pre: string, addsBos: boolean): Tokenizer {
  const { normalizer, preTokenizer, ignoresMerges } = PRE_TOKENIZERS.get(pre)!;
  const cut = { normalizer, pre_tokenizer: preTokenizer };
  const begin = addsBos ? SPECIAL[0] : undefined;
  const files = byteLevelFiles({ merges: MERGES, special: SPECIAL, ignoresMerges, begin }, cut, {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: addsBos,
    clean_up_tokenization_spaces: false,
    bos_token: SPECIAL[0],
    eos_token: SPECIAL[2],
    pad_token: SPECIAL[3],
    chat_template: TEMPLATE,
  });
  return loadTokenizer(files);
}

/** Two end tokens, padding of the vocabulary, grouped heads. */
const BASE: ModelConfig = {
  ...SMALL,
  vocabSize: BYTE_TOKENS + 7,
  intermediateSize: 96,
  tied: false,
  maxPosition: 512,
  bosTokenId: BOS,
  eosTokenIds: [EOT, EOS],
  usedVocabSize: BYTE_TOKENS,
};

/** A model of each kind, with the pre-tokenizer of its family. */
export const BYTE_MODELS: Readonly<Record<string, { config: ModelConfig; pre: string; addsBos: boolean }>> = {
  "llama-3": {
    config: {
      ...BASE,
      ropeTheta: 500_000,
      ropeScaling: {
        ...{ type: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPosition: 128 },
      },
    },
    pre: "llama-bpe",
    addsBos: true,
  },
  "llama-odd": {
    // Rows of 48 and 80 are no whole blocks of Q8_0.
    config: { ...BASE, hiddenSize: 48, heads: 3, kvHeads: 3, intermediateSize: 80, tied: true },
    pre: "smollm",
    addsBos: false,
  },
  "qwen-2": {
    config: {
      ...BASE,
      architecture: "qwen2",
      qkvBias: true,
      tied: true,
      normEps: 1e-6,
      ropeTheta: 1_000_000,
    },
    pre: "qwen2",
    addsBos: false,
  },
  "qwen-3": {
    config: {
      ...{ ...BASE, architecture: "qwen3", qkNorm: true, headDim: 32, normEps: 1e-6 },
      ropeScaling: { type: "linear", factor: 2 },
    },
    pre: "qwen2",
    addsBos: false,
  },
};
