import { Tokenizer as TextTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../../gpu/errors.ts";
import { warnOnce } from "../../gpu/warn_once.ts";
import { type AddedToken, aroundTokens, hasSingleWords, ordinaryTokens } from "./added_tokens.ts";
import { withDeadline } from "./with_deadline.ts";
import { prependedId, type SpecialToken, specialTokensOf } from "./special_tokens.ts";
import { spelledOut } from "./split_rules.ts";
import { tokenByteTable } from "./token_bytes.ts";
import {
  checkTokenIds,
  type Json,
  parseTokenizerFile,
  readTokenizerFiles,
  type TokenizerFiles,
  tokenText,
} from "./tokenizer_files.ts";

/** Text to token ids and back. */
export interface Tokenizer {
  /**
   * Token ids of `text`. No special token is added, and none is read: `<|im_end|>` in a text is these ten characters.
   * @param goesOn the text follows another part of the same prompt (some tokenizers treat a first word differently)
   * @throws UserError that names unknown words
   */
  encode(text: string, goesOn?: boolean): number[];
  /**
   * The text of `ids`, special tokens left out, nothing cleaned up. Ids without a token give no text.
   * @param goesOn they follow others: a leading blank is kept, where the tokenizer puts one before every text
   */
  decode(ids: ArrayLike<number>, goesOn?: boolean): string;
  /** The text of one token as `decode` would give it within a text; U+FFFD where it is a part of a character. */
  tokenText(id: number): string;
  /** UTF-8 bytes of one token within a text; undefined if this tokenizer's tokens change with their neighbours. */
  tokenBytes?(id: number): Uint8Array;
  /** The id of a token by its name in tokenizer.json, such as `<|end|>`. */
  idOf(token: string): number | undefined;
  /** Prepended to every prompt if the post-processor of tokenizer.json does so; undefined if it does not. */
  bosId?: number;
  /** The end token of tokenizer_config.json, if it names one. */
  eosId?: number;
  /** Tokens that stand for no text: chat templates put them between messages. */
  specialTokens: readonly SpecialToken[];
  /** Ids below this have a token. */
  size: number;
  /** What it was opened from. */
  files: TokenizerFiles;
}

/** Decodes one token at a time: characters whose bytes have not all come are held back. */
export interface StreamDecoder {
  /** The text that became certain with this token, possibly empty. */
  push(id: number): string;
  /** The rest, when no more tokens come. */
  end(): string;
}

/**
 * Opens a Hugging Face tokenizer.
 *
 * @param source a folder with tokenizer.json (and tokenizer_config.json), or the contents of these files
 * @throws UserError if a file is missing, damaged, or of a kind that is not supported
 */
export function loadTokenizer(source: string | URL | TokenizerFiles): Tokenizer {
  const isFolder = typeof source === "string" || source instanceof URL;
  const files = isFolder ? readTokenizerFiles(source) : source;
  const where = isFolder ? `tokenizer of ${source}` : "tokenizer";
  const definition = parseTokenizerFile(files["tokenizer.json"], where, "tokenizer.json");
  const config = parseTokenizerFile(files["tokenizer_config.json"] ?? "{}", where, "tokenizer_config.json");
  try {
    checkTokenIds(definition);
    const milliseconds = 5000 + files["tokenizer.json"].length / 1000;
    return withDeadline(milliseconds, `open the ${where}`, () => wrapTokenizer(definition, config, files));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot open the ${where}: ${(error as Error).message}`);
  }
}

/**
 * A decoder for text that appears as it is generated.
 *
 * @param tokenizer the tokenizer of the generated ids
 * @param goesOn a text stands before them, as for {@linkcode Tokenizer.decode}
 */
export function streamDecoder(tokenizer: Tokenizer, goesOn = true): StreamDecoder {
  if (tokenizer.tokenBytes) {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let begins = !goesOn;
    return {
      push(id) {
        const bytes = tokenizer.tokenBytes!(id);
        const text = decoder.decode(bytes, { stream: true });
        if (!begins || bytes.length === 0) return text;
        begins = false;
        return tokenizer.decode([id]) === tokenizer.decode([id], true) ? text : text.slice(1);
      },
      end: () => decoder.decode(),
    };
  }
  const ids: number[] = [];
  let shown = "";
  const show = (text: string) => {
    const news = text.slice(shown.length);
    shown = text;
    return news;
  };
  return {
    push(id) {
      ids.push(id);
      const text = tokenizer.decode(ids);
      return text.endsWith("\ufffd") ? "" : show(text);
    },
    end: () => show(tokenizer.decode(ids)),
  };
}

/** Milliseconds that a text of any length may take: known tokenizers read a million characters in a second. */
const READING = 2000;

function wrapTokenizer(definition: Json, config: Json, files: TokenizerFiles): Tokenizer {
  const specialTokens = specialTokensOf(definition, config);
  const added = ordinaryTokens(definition, specialTokens);
  const whole = textTokenizer(definition, config, added);
  const seen = hasSingleWords(added) ? [] : added;
  const inner = seen === added ? whole : textTokenizer(definition, config, seen);
  const within = innerTokenizer(definition, config, seen, inner);
  const table = tokenByteTable(definition, config);
  const tokenBytes = table && ((id: number) => table.bytes[id] ?? NO_BYTES);
  const texts: string[] = [];
  const specialIds = new Map(specialTokens.map(({ content, id }) => [content, id]));
  const isSpecial = new Set(specialIds.values());
  const decodeWhole = (ids: ArrayLike<number>) => {
    const known = Array.from(ids).filter((id) => !isSpecial.has(id) && whole.id_to_token(id) !== undefined);
    if (known.length === 0) return "";
    return withDeadline(READING, "decode the tokens", () => whole.decode(known));
  };
  const decode = table
    ? (ids: ArrayLike<number>, goesOn = false) => {
      const text = decodeUtf8(joinBytes(Array.from(ids, tokenBytes!)));
      return table.dropsFirstBlank && !goesOn && text.startsWith(" ") ? text.slice(1) : text;
    }
    : decodeWhole;
  const idOf = (token: string) => specialIds.get(token) ?? whole.token_to_id(token);
  const encode = (text: string, goesOn?: boolean) => encodeKnown(goesOn ? within() : inner, definition, text);
  return {
    encode: seen === added ? encode : aroundTokens(definition, added, encode),
    decode,
    tokenText: (id) => texts[id] ??= tokenBytes ? decodeUtf8(tokenBytes(id)) : decodeWhole([id]),
    tokenBytes,
    idOf,
    bosId: beginOf(definition, config),
    eosId: namedId(config.eos_token, idOf),
    specialTokens,
    size: table?.bytes.length ??
      [...isSpecial].reduce((most, id) => Math.max(most, id + 1), whole.get_vocab().size),
    files,
  };
}

/** What encodes ordinary text: it knows no special token, so it finds none. */
function textTokenizer(definition: Json, config: Json, added: readonly AddedToken[]): TextTokenizer {
  const ordinary = {
    ...definition,
    added_tokens: added,
    pre_tokenizer: spelledOut(definition.pre_tokenizer),
  };
  return new TextTokenizer(ordinary, { ...config, clean_up_tokenization_spaces: false });
}

/** For a text that goes on another one: the same, unless a blank is put before the first word of a prompt only. */
function innerTokenizer(
  definition: Json,
  config: Json,
  added: readonly AddedToken[],
  first: TextTokenizer,
): () => TextTokenizer {
  const pre = definition.pre_tokenizer as Json | null | undefined;
  if (pre?.type !== "Metaspace" || pre.prepend_scheme !== "first") return () => first;
  let made: TextTokenizer | undefined;
  const other = { ...definition, pre_tokenizer: { ...pre, prepend_scheme: "never" } };
  return () => made ??= textTokenizer(other, config, added);
}

function encodeKnown(inner: TextTokenizer, definition: Json, text: string): number[] {
  if (text === "") return [];
  const unknownId = unknownTokenId(inner, definition);
  // Its regular expressions come with the model, and may take for ever.
  const milliseconds = READING + text.length / 10;
  const { ids, tokens } = withDeadline(
    milliseconds,
    "encode the text",
    () => inner.encode(text, { add_special_tokens: false }),
  );
  const unknown = new Set(tokens.filter((_, i) => ids[i] === undefined || ids[i] === unknownId));
  if (unknown.size === 0) return ids;
  const shown = [...unknown].slice(0, 8).map((word) => JSON.stringify(word)).join(", ");
  const more = unknown.size > 8 ? ` and ${unknown.size - 8} more` : "";
  throw new UserError(
    `Cannot encode the text: ${shown}${more} not in the vocabulary of this tokenizer, known words are needed`,
    unknownHint([...inner.get_vocab(false).keys()], [...unknown]),
  );
}

/** Of a small vocabulary the plain words are told, without blanks and signs. */
function unknownHint(vocabulary: readonly string[], unknown: readonly string[]): string {
  const known = new Set(vocabulary);
  if (unknown.every((word) => known.has(` ${word}`))) {
    return `${JSON.stringify(unknown[0])} is known after a blank alone: begin the text with one`;
  }
  const other = "name a model with a larger vocabulary with --model";
  if (vocabulary.length > 200) return `leave these out, or ${other}`;
  // A damaged vocabulary may have holes.
  const words = new Set(
    vocabulary.map((token) => `${token ?? ""}`.trim()).filter((word) => /^[a-z]{2,}$/i.test(word)),
  );
  return words.size === 0 ? other : `${other}; this one knows few words: ${[...words].join(", ")}`;
}

function unknownTokenId(inner: TextTokenizer, definition: Json): number | undefined {
  const model = definition.model as { unk_token?: string | null; unk_id?: number | null };
  return model.unk_id ?? (model.unk_token == null ? undefined : inner.token_to_id(model.unk_token));
}

/** As transformers 5 has it: tokenizer.json's own template decides, whatever add_bos_token says. */
function beginOf(definition: Json, config: Json): number | undefined {
  const id = prependedId(definition.post_processor);
  const wanted = config.add_bos_token;
  if (typeof wanted === "boolean" && wanted !== (id !== undefined)) {
    warnOnce(
      `tokenizer_config.json says add_bos_token: ${wanted}, but tokenizer.json puts ${
        id === undefined ? "nothing" : `token ${id}`
      } before a text: tokenizer.json decides, as in transformers 5`,
    );
  }
  return id;
}

function namedId(token: unknown, idOf: (token: string) => number | undefined): number | undefined {
  const name = tokenText(token);
  return name === undefined ? undefined : idOf(name);
}

const NO_BYTES = new Uint8Array(0);
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}

function joinBytes(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
