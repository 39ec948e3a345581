/**
 * Writes the embedded model's tokenizer.json and tokenizer_config.json from words.ts:
 *
 *     deno run --allow-write=model/builtin model/builtin/make_tokenizer.ts
 *
 * An ordinary Hugging Face tokenizer: a WordLevel model behind one Split rule, and decoding by plain
 * concatenation, so that decode(encode(text)) is the text itself. There is no unknown token: a word that is
 * not in the vocabulary is an error, here and in Python's `tokenizers`.
 *
 * @module
 */
import { END_TOKEN, PHRASE_TOKENS, VOCABULARY } from "./words.ts";

/**
 * The files' contents by name.
 *
 * @returns `tokenizer.json` and `tokenizer_config.json`, as written to disk
 */
export function makeTokenizerFiles(): Record<"tokenizer.json" | "tokenizer_config.json", string> {
  const endToken = {
    id: VOCABULARY.indexOf(END_TOKEN),
    content: END_TOKEN,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [endToken],
    normalizer: null,
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: splitPattern() },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(VOCABULARY.map((text, id) => [text, id])),
      unk_token: "<unk>",
    },
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    eos_token: END_TOKEN,
    model_max_length: 512,
  };
  return { "tokenizer.json": asJson(tokenizer), "tokenizer_config.json": asJson(config) };
}

/** Phrases first, the longest before its beginnings; then whole words, so that an unknown word stays whole. */
function splitPattern(): string {
  const phrases = PHRASE_TOKENS.toSorted((a, b) => b.length - a.length).map(phrasePattern);
  return `${phrases.join("|")}| ?[A-Za-z]+| ?[^A-Za-z ]| `;
}

function phrasePattern(phrase: string): string {
  const escaped = phrase.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return /[a-z]$/i.test(phrase) ? `${escaped}(?![A-Za-z])` : escaped;
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeTokenizerFiles())) {
    Deno.writeTextFileSync(new URL(name, import.meta.url), text);
  }
}
