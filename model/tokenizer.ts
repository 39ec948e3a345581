import { Tokenizer as TextTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../gpu/errors.ts";
import { tokenByteTable } from "./token_bytes.ts";

/** The files a tokenizer is made of, as they are on disk: checkpoints copy them unchanged. */
export interface TokenizerFiles {
  /** Vocabulary and rules. */
  "tokenizer.json": string;
  /** Absent in some folders: then nothing is prepended. */
  "tokenizer_config.json"?: string;
}

/** Text to token ids and back. */
export interface Tokenizer {
  /** Token ids of `text`; no special token is added. Throws a UserError that names unknown words. */
  encode(text: string): number[];
  /** The text of `ids`, special tokens left out, nothing cleaned up. Ids without a token give no text. */
  decode(ids: ArrayLike<number>): string;
  /** The text of one token as `decode` would give it within a text; U+FFFD where it is a part of a character. */
  tokenText(id: number): string;
  /** UTF-8 bytes of one token within a text; undefined if this tokenizer's tokens change with their neighbours. */
  tokenBytes?(id: number): Uint8Array;
  /** The id of a token by its name in tokenizer.json, such as `<|end|>`. */
  idOf(token: string): number | undefined;
  /** Prepended to every prompt if the tokenizer's own configuration does so; undefined if it does not. */
  bosId?: number;
  /** The end token of tokenizer_config.json, if it names one. */
  eosId?: number;
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
  const definition = parseJson(files["tokenizer.json"], where, "tokenizer.json");
  const config = parseJson(files["tokenizer_config.json"] ?? "{}", where, "tokenizer_config.json");
  let inner: TextTokenizer;
  try {
    inner = new TextTokenizer(definition, { ...config, clean_up_tokenization_spaces: false });
  } catch (error) {
    throw new UserError(`Cannot open the ${where}: ${(error as Error).message}`);
  }
  return wrapTokenizer(inner, definition, config, files);
}

/**
 * A decoder for text that appears as it is generated.
 *
 * @param tokenizer the tokenizer of the generated ids
 */
export function streamDecoder(tokenizer: Tokenizer): StreamDecoder {
  if (tokenizer.tokenBytes) {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (id) => decoder.decode(tokenizer.tokenBytes!(id), { stream: true }),
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

type Json = Record<string, unknown>;

function wrapTokenizer(
  inner: TextTokenizer,
  definition: Json,
  config: Json,
  files: TokenizerFiles,
): Tokenizer {
  const table = tokenByteTable(definition, config);
  const tokenBytes = table && ((id: number) => table.bytes[id] ?? NO_BYTES);
  const texts: string[] = [];
  const decodeWhole = (ids: ArrayLike<number>) => {
    const known = Array.from(ids).filter((id) => inner.id_to_token(id) !== undefined);
    return known.length === 0 ? "" : inner.decode(known, { skip_special_tokens: true });
  };
  const decode = table?.concatenates
    ? (ids: ArrayLike<number>) => decodeUtf8(joinBytes(Array.from(ids, tokenBytes!)))
    : decodeWhole;
  const idOf = (token: string) => inner.token_to_id(token);
  return {
    encode: (text) => encodeKnown(inner, definition, text),
    decode,
    tokenText: (id) => texts[id] ??= tokenBytes ? decodeUtf8(tokenBytes(id)) : decodeWhole([id]),
    tokenBytes,
    idOf,
    bosId: findBosId(inner, config, idOf),
    eosId: tokenName(config.eos_token, idOf),
    size: table?.bytes.length ?? inner.get_vocab().size,
    files,
  };
}

function encodeKnown(inner: TextTokenizer, definition: Json, text: string): number[] {
  if (text === "") return [];
  const unknownId = unknownTokenId(inner, definition);
  const { ids, tokens } = inner.encode(text, { add_special_tokens: false });
  const unknown = new Set(tokens.filter((_, i) => ids[i] === undefined || ids[i] === unknownId));
  if (unknown.size === 0) return ids;
  const vocabulary = [...inner.get_vocab(false).keys()];
  const shown = [...unknown].slice(0, 8).map((word) => JSON.stringify(word)).join(", ");
  const more = unknown.size > 8 ? ` and ${unknown.size - 8} more` : "";
  throw new UserError(
    `Cannot encode the text: ${shown}${more} not in the vocabulary of this tokenizer, known words are needed`,
    vocabulary.length > 200
      ? "leave these out, or choose a model with a larger vocabulary"
      : `this model knows only (blanks count): ${vocabulary.map((word) => JSON.stringify(word)).join(" ")}`,
  );
}

function unknownTokenId(inner: TextTokenizer, definition: Json): number | undefined {
  const model = definition.model as { unk_token?: string | null; unk_id?: number | null };
  return model.unk_id ?? (model.unk_token == null ? undefined : inner.token_to_id(model.unk_token));
}

function findBosId(
  inner: TextTokenizer,
  config: Json,
  idOf: (token: string) => number | undefined,
): number | undefined {
  if (config.add_bos_token === true) return tokenName(config.bos_token, idOf);
  if (config.add_bos_token === false) return undefined;
  const template = inner.encode("", { add_special_tokens: true }).ids;
  const bosId = tokenName(config.bos_token, idOf);
  if (template.length === 0) return undefined;
  return bosId === undefined || template[0] === bosId ? template[0] : undefined;
}

/** Hugging Face writes a token as its text or as an object with the text in `content`. */
function tokenName(token: unknown, idOf: (token: string) => number | undefined): number | undefined {
  const content = typeof token === "object" && token !== null ? (token as Json).content : token;
  return typeof content === "string" ? idOf(content) : undefined;
}

function readTokenizerFiles(folder: string | URL): TokenizerFiles {
  const read = (name: string) => {
    const path = folder instanceof URL
      ? new URL(name, `${folder}/`.replace(/\/+$/, "/"))
      : `${folder}/${name}`;
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new UserError(`Cannot read ${path}: ${(error as Error).message}`);
    }
  };
  const definition = read("tokenizer.json");
  if (definition === undefined) {
    throw new UserError(
      `Cannot open the tokenizer of ${folder}: no tokenizer.json there, one is needed`,
      "give the folder of a Hugging Face model; a sentencepiece file alone is not enough",
    );
  }
  return { "tokenizer.json": definition, "tokenizer_config.json": read("tokenizer_config.json") };
}

function parseJson(text: string, where: string, name: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`Cannot open the ${where}: ${name} is not JSON (${(error as Error).message})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`Cannot open the ${where}: ${name} holds no object, a Hugging Face file is needed`);
  }
  return value as Json;
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
