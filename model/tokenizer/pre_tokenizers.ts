import { GPT2 } from "./split_rules.ts";

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

const LLAMA3 = {
  normalizer: null,
  preTokenizer: splitThenBytes(words(3)),
  ignoresMerges: true,
  addsBos: true,
};
const QWEN2 = {
  normalizer: { type: "NFC" },
  preTokenizer: splitThenBytes(words(1)),
  ignoresMerges: false,
  addsBos: false,
};
const WORDS = { preTokenizer: { ...BYTES, trim_offsets: true, use_regex: true } };
const PLAIN = { normalizer: null, ignoresMerges: false, addsBos: false };
const DIGITS = {
  preTokenizer: {
    type: "Sequence",
    pretokenizers: [{ type: "Digits", individual_digits: true }, WORDS.preTokenizer],
  },
};

const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const BEFORE = "[^\\r\\n\\p{L}\\p{N}]?";
const SLASHES = REST.replace("[\\r\\n]*", "[\\r\\n/]*");
/** Words that begin with capitals, and those that end with small letters, with what may follow them. */
const cased = (after: string) => `${BEFORE}${UPPER}*${LOWER}+${after}|${BEFORE}${UPPER}+${LOWER}*${after}`;

const SIGNS = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+";
const DEEPSEEK3 = [
  "\\p{N}{1,3}",
  "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
  `${SIGNS}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
];
const EAST_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";
/** BLOOM's words: all but blanks and the marks of many scripts. */
const UNMARKED = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";

/**
 * What llama.cpp cuts texts by, with the names that it takes for the same. The first name of each is the one that is written.
 * The normalizers are those of the models' own files; llama.cpp has none.
 */
const RULES: readonly (readonly [names: string, rule: PreTokenizer])[] = [
  ["smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", { ...PLAIN, ...DIGITS }],
  ["llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", LLAMA3],
  ["qwen2 deepseek-r1-qwen kormo f2llmv2 megrez", QWEN2],
  [
    "gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat mellum a.x-4.0 modern-bert exaone4 jina-es jina-de jina-v2-es jina-v2-de",
    { ...PLAIN, ...WORDS },
  ],
  ["glm4 glm5", { ...LLAMA3, addsBos: false }],
  ["smaug-bpe dbrx chatglm-bpe", { ...LLAMA3, ignoresMerges: false, addsBos: false }],
  ["stablelm2 hunyuan solar-open grok-2", { ...QWEN2, normalizer: null }],
  ["qwen35", { ...QWEN2, preTokenizer: splitThenBytes(words(1, "\\p{L}\\p{M}")) }],
  ["tekken", { ...LLAMA3, preTokenizer: splitThenBytes(`${cased("")}|\\p{N}|${SLASHES}`) }],
  [
    "gpt-4o llama4 kanana2 talkie minimax-m2",
    { ...PLAIN, preTokenizer: splitThenBytes(`${cased(`${CONTRACTIONS}?`)}|\\p{N}{1,3}|${SLASHES}`) },
  ],
  ["seed-coder", {
    ...PLAIN,
    preTokenizer: splitThenBytes(words(1).replace("\\p{N}]+[\\r\\n]*", "\\p{N}\\r\\n]+")),
  }],
  [
    "bailingmoe bailingmoe2 llada-moe",
    { ...PLAIN, preTokenizer: splitThenBytes(words(1).replace("\\s*[\\r\\n]+", "\\s*[\\r\\n]")) },
  ],
  ["ufakzeka", { ...PLAIN, preTokenizer: splitThenBytes(words(1).replace(`${CONTRACTIONS}|`, "")) }],
  [
    "minicpm5",
    {
      ...LLAMA3,
      addsBos: false,
      preTokenizer: splitThenBytes("\\p{N}{1,3}", words(3).replace("{1,3}", "+")),
    },
  ],
  ["deepseek-v3 hunyuan-dense joyai-llm hy_v4", { ...PLAIN, preTokenizer: splitThenBytes(...DEEPSEEK3) }],
  [
    "deepseek-coder",
    {
      ...PLAIN,
      preTokenizer: splitThenBytes("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", EAST_ASIAN, "\\p{N}"),
    },
  ],
  [
    "deepseek-llm",
    {
      ...PLAIN,
      preTokenizer: splitThenBytes(
        "[\\r\\n]",
        "\\s?[\\p{Lu}\\p{Ll}\\p{Lt}]+",
        "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
        "\\s+$",
        EAST_ASIAN,
        "\\p{N}+",
      ),
    },
  ],
  ["falcon", { ...PLAIN, preTokenizer: splitThenBytes("[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]") }],
  ["viking", { ...PLAIN, preTokenizer: splitThenBytes(UNMARKED, "\\p{N}") }],
  ["poro-chat bloom gpt3-finnish", { ...PLAIN, preTokenizer: splitThenBytes(UNMARKED) }],
  ["default", {
    ...PLAIN,
    preTokenizer: splitThenBytes("[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
  }],
];

/** The pre-tokenizers by their names in GGUF. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map(
  RULES.flatMap(([names, rule]) => names.split(" ").map((name): [string, PreTokenizer] => [name, rule])),
);

/** Llama 3's words, with so many digits in a piece; Qwen 2 has one. */
function words(digits: number, letters = "\\p{L}"): string {
  const numbers = digits === 1 ? "\\p{N}" : `\\p{N}{1,${digits}}`;
  const word = letters === "\\p{L}" ? letters : `[${letters}]`;
  const rest = REST.replace("\\p{L}\\p{N}", `${letters}\\p{N}`);
  return `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?${word}+|${numbers}|${rest}`;
}

/** Cuts by one pattern after the other, then writes bytes as letters. */
function splitThenBytes(...patterns: string[]): object {
  const splits = patterns.map((Regex) => ({
    type: "Split",
    pattern: { Regex },
    behavior: "Isolated",
    invert: false,
  }));
  return { type: "Sequence", pretokenizers: [...splits, BYTES] };
}
