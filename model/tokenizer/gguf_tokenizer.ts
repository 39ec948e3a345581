import { UserError } from "../../gpu/errors.ts";
import type { GgufValue } from "../formats/gguf.ts";
import { PRE_TOKENIZERS } from "./pre_tokenizers.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** GGUF's metadata by key. */
type Metadata = ReadonlyMap<string, GgufValue>;

// Of the types that GGUF gives its tokens, those that are not ordinary pieces of text. Bytes are ordinary here.
const [UNKNOWN, CONTROL, USER_DEFINED, UNUSED] = [2, 3, 4, 5];
const MOST_TYPES = 6;
/** Four times the largest vocabulary that is known. */
const MOST_TOKENS = 1 << 20;
/** Names of end tokens that files keep quiet about: they state one end token, where a model may have several. */
const END_NAMES = ["<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>"];

/**
 * The tokenizer that a GGUF file holds, as the files that Hugging Face would have beside the model: vocabulary,
 * merges, special tokens, what is prepended, and the chat template.
 *
 * @param metadata all keys of the file; those that begin with `tokenizer.` are read
 * @throws UserError if the kind of tokenizer is not one of byte-level BPE as SmolLM2, Llama 3 and Qwen have it (the
 * message names it), or its data is missing or contradicts itself
 */
export function ggufTokenizerFiles(metadata: Metadata): TokenizerFiles {
  const model = textOf(metadata, "tokenizer.ggml.model");
  if (model !== "gpt2") {
    throw refuse(`its kind is ${JSON.stringify(model)}, only "gpt2" (byte-level BPE) is supported`);
  }
  const name = textOf(metadata, "tokenizer.ggml.pre");
  const pre = PRE_TOKENIZERS.get(name);
  if (!pre) {
    const known = [...PRE_TOKENIZERS.keys()].join(", ");
    throw refuse(`its pre-tokenizer is ${JSON.stringify(name)}, one of ${known} is needed`);
  }
  const vocabulary = readVocabulary(metadata);
  const bos = tokenOf(metadata, "bos", vocabulary.tokens);
  const addsBos = booleanOf(metadata, "tokenizer.ggml.add_bos_token") ?? pre.addsBos;
  if (addsBos && bos === undefined) {
    throw refuse("a beginning token is to be prepended but not named, tokenizer.ggml.bos_token_id is needed");
  }
  const definition = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: vocabulary.added,
    normalizer: pre.normalizer,
    pre_tokenizer: pre.preTokenizer,
    post_processor: postProcessor(addsBos ? bos : undefined),
    decoder: BYTE_LEVEL,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoresMerges,
      vocab: vocabulary.vocab,
      merges: readMerges(metadata, vocabulary.vocab),
    },
  };
  const named = (role: string) => tokenOf(metadata, role, vocabulary.tokens)?.content;
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: addsBos,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    bos_token: bos?.content,
    eos_token: named("eos"),
    unk_token: named("unknown"),
    pad_token: named("padding"),
    chat_template: metadata.has("tokenizer.chat_template")
      ? textOf(metadata, "tokenizer.chat_template")
      : undefined,
  };
  return {
    "tokenizer.json": JSON.stringify(definition),
    "tokenizer_config.json": JSON.stringify(config, null, 2),
  };
}

/**
 * Every end token of a GGUF file's vocabulary: the ones it states (end of sequence, of turn, of message), and control
 * tokens with the names that SmolLM2, Llama 3 and Qwen end texts or turns with, since a file states only one or two.
 *
 * @returns ids, the stated end of sequence first; empty if there is none
 * @throws UserError if a stated id has no token
 */
export function ggufEndTokenIds(metadata: Metadata): number[] {
  const tokens = textsOf(metadata, "tokenizer.ggml.tokens");
  const types = readTypes(metadata, tokens.length);
  const stated = ["eos", "eot", "eom"].flatMap((role) => tokenOf(metadata, role, tokens)?.id ?? []);
  const known = END_NAMES.map((name) => tokens.indexOf(name)).filter((id) => types[id] === CONTROL);
  return [...new Set([...stated, ...known])];
}

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };

interface Token {
  id: number;
  content: string;
}

interface Vocabulary {
  /** By id. */
  tokens: string[];
  vocab: Record<string, number>;
  added:
    (Token & { special: boolean; single_word: false; lstrip: false; rstrip: false; normalized: false })[];
}

function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = textsOf(metadata, "tokenizer.ggml.tokens");
  if (tokens.length === 0 || tokens.length > MOST_TOKENS) {
    throw refuse(`it has ${tokens.length} tokens, 1 to ${MOST_TOKENS} are possible`);
  }
  const types = readTypes(metadata, tokens.length);
  const ids = new Map<string, number>();
  const added: Vocabulary["added"] = [];
  tokens.forEach((content, id) => {
    // Fills up the embedding's rows; no text has it.
    if (types[id] === UNUSED) return;
    if (content === "") throw refuse(`its token ${id} is empty, a text is needed`);
    if (ids.has(content)) {
      throw refuse(
        `its tokens ${ids.get(content)} and ${id} are both ${shown(content)}, each is needed once`,
      );
    }
    ids.set(content, id);
    if (types[id] !== CONTROL && types[id] !== UNKNOWN && types[id] !== USER_DEFINED) return;
    const special = types[id] !== USER_DEFINED;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  });
  return { tokens, vocab: objectOf(ids), added };
}

function readTypes(metadata: Metadata, count: number): number[] {
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

/** Merges as pairs. All their tokens exist, or a text might lose pieces without a word. */
function readMerges(metadata: Metadata, vocab: Record<string, number>): [string, string][] {
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

function postProcessor(bos: Token | undefined): object {
  const byteLevel = { ...BYTE_LEVEL, trim_offsets: false };
  if (!bos) return byteLevel;
  const begin = { SpecialToken: { id: bos.content, type_id: 0 } };
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const template = {
    type: "TemplateProcessing",
    single: [begin, text("A")],
    pair: [begin, text("A"), begin, text("B")],
    special_tokens: { [bos.content]: { id: bos.content, ids: [bos.id], tokens: [bos.content] } },
  };
  return { type: "Sequence", processors: [byteLevel, template] };
}

/** The token of a role such as `eos`, if the file names one. */
function tokenOf(metadata: Metadata, role: string, tokens: readonly string[]): Token | undefined {
  const key = `tokenizer.ggml.${role}_token_id`;
  const id = metadata.get(key);
  if (id === undefined) return undefined;
  if (!isWhole(id, tokens.length - 1)) {
    throw refuse(`${key} is ${shown(id)}, an id below ${tokens.length} is needed`);
  }
  return { id, content: tokens[id] };
}

function textOf(metadata: Metadata, key: string): string {
  const value = metadata.get(key);
  if (typeof value !== "string") throw missing(key, value, "a text");
  return value;
}

function textsOf(metadata: Metadata, key: string): string[] {
  const value = metadata.get(key);
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) {
    throw missing(key, value, "a list of texts");
  }
  return value as string[];
}

function booleanOf(metadata: Metadata, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value !== undefined && typeof value !== "boolean") throw missing(key, value, "true or false");
  return value;
}

function missing(key: string, value: GgufValue | undefined, wanted: string): UserError {
  return refuse(`${key} is ${value === undefined ? "missing" : `no such thing`}, ${wanted} is needed`);
}

/** An object with any text as a key, `__proto__` too. */
function objectOf(entries: Map<string, number>): Record<string, number> {
  return Object.fromEntries(entries);
}

function isWhole(value: GgufValue, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

function shown(value: GgufValue): string {
  if (typeof value !== "string") return Array.isArray(value) ? "a list" : String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}

function refuse(what: string): UserError {
  return new UserError(`Cannot open the tokenizer of the GGUF file: ${what}`);
}
