import { UserError } from "../../gpu/errors.ts";
import { modelFile } from "../files/model_file.ts";
import { readPlainText } from "../files/plain_file.ts";
import { parseJson } from "../files/parse_json.ts";

/** The files a tokenizer is made of, as they are on disk: checkpoints copy them unchanged. */
export interface TokenizerFiles {
  /** Vocabulary and rules. */
  "tokenizer.json": string;
  /** Absent in some folders: then nothing is prepended. */
  "tokenizer_config.json"?: string;
  /** A chat template of its own; where it is absent, tokenizer_config.json may hold one. */
  "chat_template.jinja"?: string;
}

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Those of vocabularies of 256,000 tokens have 35 MB. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Reads the tokenizer files of a Hugging Face folder.
 * @throws UserError if there is no tokenizer.json, or a file cannot be read
 */
export function readTokenizerFiles(folder: string | URL): TokenizerFiles {
  const read = (name: string) => {
    const path = folder instanceof URL
      ? new URL(name, `${folder}/`.replace(/\/+$/, "/"))
      : modelFile(folder, name);
    try {
      return readPlainText(path, MOST_BYTES);
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
  const template = read("chat_template.jinja");
  return {
    "tokenizer.json": definition,
    "tokenizer_config.json": read("tokenizer_config.json"),
    ...(template === undefined ? {} : { "chat_template.jinja": template }),
  };
}

/**
 * A tokenizer file as an object.
 * @param where what it belongs to, for the message
 * @throws UserError if it is no JSON object
 */
export function parseTokenizerFile(text: string, where: string, name: string): Json {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new UserError(`Cannot open the ${where}: ${name} is not JSON (${(error as Error).message})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`Cannot open the ${where}: ${name} holds no object, a Hugging Face file is needed`);
  }
  return value as Json;
}

/** A token's text as tokenizer_config.json writes it: the text itself, or an object with it in `content`. */
export function tokenText(token: unknown): string | undefined {
  const content = typeof token === "object" && token !== null ? (token as Json).content : token;
  return typeof content === "string" ? content : undefined;
}

/** Four times the largest vocabulary that is known. */
const MOST_TOKENS = 2 ** 20;
/** UTF-16 units of a token's text. */
const LONGEST_TOKEN = 2 ** 16;

/**
 * Refuses a tokenizer.json whose ids are none: lists are as long as the largest of them.
 *
 * @throws Error that names the token
 */
export function checkTokenIds(definition: Json): void {
  const { vocab } = (definition.model ?? {}) as { vocab?: unknown };
  const added = Array.isArray(definition.added_tokens) ? definition.added_tokens : [];
  const check = (text: unknown, id: unknown) => {
    if (typeof text === "string" && text.length > LONGEST_TOKEN) {
      throw new Error(`a token has ${text.length} characters, at most ${LONGEST_TOKEN} are possible`);
    }
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < MOST_TOKENS) return;
    const shown = JSON.stringify(`${text}`.slice(0, 40));
    throw new Error(
      `the token ${shown} has the id ${JSON.stringify(id)}, one below ${MOST_TOKENS} is needed`,
    );
  };
  if (Array.isArray(vocab)) vocab.forEach((piece, id) => check(Array.isArray(piece) ? piece[0] : "", id));
  else {for (const text in vocab as Record<string, unknown>) {
      check(text, (vocab as Record<string, unknown>)[text]);
    }}
  for (const token of added) check(token?.content, token?.id);
}
