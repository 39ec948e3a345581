import {
  isWhole,
  type Metadata,
  missing,
  refuse,
  shown,
  textsOf,
  type Token,
  TokenType,
} from "./gguf_values.ts";

const MOST_TYPES = TokenType.byte;

/** Four times the largest vocabulary that is known. */
const MOST_TOKENS = 1 << 20;

/** The tokens of a GGUF file. */
export interface Vocabulary {
  /** By id. */
  tokens: string[];
  vocab: Record<string, number>;
  types: readonly number[];
  added:
    (Token & { special: boolean; single_word: false; lstrip: false; rstrip: false; normalized: false })[];
}

/**
 * Reads all tokens.
 * @throws UserError if there are none or too many, or one is empty, stands twice or has no type
 */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = textsOf(metadata, "tokenizer.ggml.tokens");
  if (tokens.length === 0 || tokens.length > MOST_TOKENS) {
    throw refuse(`it has ${tokens.length} tokens, 1 to ${MOST_TOKENS} are possible`);
  }
  const types = readTypes(metadata, tokens.length);
  const ids = new Map<string, number>();
  const added: Vocabulary["added"] = [];
  tokens.forEach((content, id) => {
    // Fills up the embedding's rows; no text has it.
    if (types[id] === TokenType.unused) return;
    if (content === "") throw refuse(`its token ${id} is empty, a text is needed`);
    if (ids.has(content)) {
      throw refuse(
        `its tokens ${ids.get(content)} and ${id} are both ${shown(content)}, each is needed once`,
      );
    }
    ids.set(content, id);
    if (
      types[id] !== TokenType.control && types[id] !== TokenType.unknown &&
      types[id] !== TokenType.userDefined
    ) return;
    const special = types[id] !== TokenType.userDefined;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  });
  return { tokens, vocab: objectOf(ids), types, added };
}

/**
 * Reads the type of each of `count` tokens, one of {@link TokenType}.
 * @throws UserError if one has none
 */
export function readTypes(metadata: Metadata, count: number): number[] {
  const key = "tokenizer.ggml.token_type";
  const types = metadata.get(key);
  if (!Array.isArray(types)) throw missing(key, types, "a list of numbers");
  if (types.length !== count) {
    throw refuse(`it has ${count} tokens but ${types.length} entries in ${key}, as many are needed`);
  }
  const wrong = types.findIndex((type) => !isWhole(type, MOST_TYPES) || type === 0);
  if (wrong >= 0) {
    throw refuse(
      `the type of its token ${wrong} is ${shown(types[wrong])}, a number from 1 to ${MOST_TYPES} is needed`,
    );
  }
  return types as number[];
}

/**
 * Reads merges as pairs.
 * @throws UserError if one is none, or of tokens that do not exist: a text might lose pieces without a word
 */
export function readMerges(metadata: Metadata, vocab: Record<string, number>): [string, string][] {
  const merges = textsOf(metadata, "tokenizer.ggml.merges");
  if (merges.length > 2 * MOST_TOKENS) {
    throw refuse(`it has ${merges.length} merges, at most ${2 * MOST_TOKENS} are possible`);
  }
  return merges.map((merge, index) => {
    const at = merge.indexOf(" ");
    if (at <= 0 || at === merge.length - 1 || merge.indexOf(" ", at + 1) >= 0) {
      throw refuse(`its merge ${index} is ${shown(merge)}, two tokens with a blank between them are needed`);
    }
    const [left, right] = [merge.slice(0, at), merge.slice(at + 1)];
    const unknown = [left, right, left + right].find((token) => !Object.hasOwn(vocab, token));
    if (unknown !== undefined) {
      throw refuse(`its merge ${index} needs the token ${shown(unknown)}, which the vocabulary lacks`);
    }
    return [left, right];
  });
}

/** An object with any text as a key, `__proto__` too. */
function objectOf(entries: Map<string, number>): Record<string, number> {
  return Object.fromEntries(entries);
}
