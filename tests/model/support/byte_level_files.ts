import type { TokenizerFiles } from "../../../model/tokenizer/tokenizer_files.ts";

/** How GPT-2 writes bytes as letters: those that can be seen as themselves, the others from U+0100 on. */
export const BYTE_LETTERS: readonly string[] = byteLetters();

function byteLetters(): string[] {
  const seen = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(seen(byte) ? byte : next++));
}

/** A pre-tokenizer that leaves texts whole. */
export const UNCUT = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };

/** The tokens of a byte-level BPE. */
export interface ByteLevelTokens {
  /** In the order of their ids; all bytes where it is left out. */
  tokens?: readonly string[];
  /** Pairs in the order in which they are merged; what they make follows the tokens. */
  merges?: readonly [string, string][];
  /** Special ones: where they stand among the tokens, and after all others where they do not. */
  special?: readonly string[];
  /** A piece that is a token whole is never merged. */
  ignoresMerges?: boolean;
  /** Of the special ones that which is put before every text; none where it is left out. */
  begin?: string;
}

/**
 * The files of a byte-level BPE, as Llama 3, Qwen and SmolLM2 have it. Texts are cut as GPT-2 does.
 *
 * @param definition what else stands in tokenizer.json, or otherwise
 * @param settings all of tokenizer_config.json
 */
export function byteLevelFiles(
  { tokens = BYTE_LETTERS, merges = [], special = [], ignoresMerges = false, begin }: ByteLevelTokens,
  definition: Record<string, unknown> = {},
  settings: Record<string, unknown> = {},
): TokenizerFiles {
  const all = [...tokens, ...merges.map((pair) => pair.join(""))];
  const ids = new Map(all.map((token, id) => [token, id]));
  const missing = special.filter((content) => !ids.has(content));
  const idOf = (content: string) => ids.get(content) ?? all.length + missing.indexOf(content);
  const never = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const byteLevel = { ...UNCUT, use_regex: true };
  const whole = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({ id: idOf(content), content, ...never, special: true })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: begin === undefined ? null : beginTemplate(begin, idOf(begin)),
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoresMerges,
      vocab: Object.fromEntries(ids),
      merges,
    },
    ...definition,
  };
  return { "tokenizer.json": JSON.stringify(whole), "tokenizer_config.json": JSON.stringify(settings) };
}

function beginTemplate(name: string, id: number): object {
  const [first, text] = [{ SpecialToken: { id: name, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
  return {
    type: "TemplateProcessing",
    single: [first, text],
    pair: [first, text, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { [name]: { id: name, ids: [id], tokens: [name] } },
  };
}
