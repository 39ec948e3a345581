/** What a name of GGUF's `tokenizer.ggml.pre` stands for, in the terms of tokenizer.json. */
interface PreTokenizer {
  /** Applied to the text first; null for nothing. */
  normalizer: object | null;
  /** Cuts the text into pieces that no token crosses, and writes their bytes as letters. */
  preTokenizer: object;
  /** A piece that is a token is taken whole, whatever the merges say. */
  ignoresMerges: boolean;
  /** Whether the beginning token is prepended where the file does not say. */
  addsBos: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const BYTES = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };

/** The pre-tokenizers of the model families, by their names in GGUF. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ["smollm", {
    normalizer: null,
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, {
        ...BYTES,
        trim_offsets: true,
        use_regex: true,
      }],
    },
    ignoresMerges: false,
    addsBos: false,
  }],
  ["llama-bpe", {
    normalizer: null,
    preTokenizer: splitThenBytes(3),
    ignoresMerges: true,
    addsBos: true,
  }],
  ["qwen2", {
    normalizer: { type: "NFC" },
    preTokenizer: splitThenBytes(1),
    ignoresMerges: false,
    addsBos: false,
  }],
]);

/** Llama 3 and Qwen 2 differ in how many digits a piece may have. */
function splitThenBytes(digits: number): object {
  const numbers = digits === 1 ? "\\p{N}" : `\\p{N}{1,${digits}}`;
  const Regex = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}|${REST}`;
  return {
    type: "Sequence",
    pretokenizers: [{ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }, BYTES],
  };
}

/** GPT-2's rule, which tokenizer.json calls ByteLevel with use_regex. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The same pre-tokenizer, with rules that JavaScript reads in its own way spelt out: to Hugging Face a digit is any
 * numeric character (`²`, `①`), and white space is what Unicode calls so (a byte-order mark is none).
 *
 * @param preTokenizer `pre_tokenizer` of a tokenizer.json
 */
export function withUnicodeRules(preTokenizer: unknown): unknown {
  const one = preTokenizer as Record<string, unknown> | null | undefined;
  const split = (Regex: string) => ({
    ...{ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
  });
  if (one?.type === "Sequence" && Array.isArray(one.pretokenizers)) {
    return { ...one, pretokenizers: one.pretokenizers.map(withUnicodeRules) };
  }
  if (one?.type === "Digits") return split(one.individual_digits ? "\\p{N}" : "\\p{N}+");
  if (one?.type === "ByteLevel" && one.use_regex !== false && !one.add_prefix_space) {
    return { type: "Sequence", pretokenizers: [split(GPT2), { ...one, use_regex: false }] };
  }
  return preTokenizer;
}
