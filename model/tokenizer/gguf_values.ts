import { UserError } from "../../gpu/errors.ts";
import { warnOnce } from "../../gpu/warn_once.ts";
import type { GgufValue } from "../formats/gguf_header.ts";

/** GGUF's metadata by key. */
export type Metadata = ReadonlyMap<string, GgufValue>;

/** The types that GGUF gives its tokens; bytes are `<0x0A>` and the like. */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A token of the vocabulary. */
export interface Token {
  id: number;
  content: string;
}

/** The token of a role such as `eos`, if the file names one. An id beyond the tokens is told, and names none, as llama.cpp has it. */
export function tokenOf(metadata: Metadata, role: string, tokens: readonly string[]): Token | undefined {
  const key = `tokenizer.ggml.${role}_token_id`;
  const id = metadata.get(key);
  if (id === undefined) return undefined;
  if (isWhole(id, tokens.length - 1)) return { id, content: tokens[id] };
  if (typeof id !== "number" && typeof id !== "bigint") {
    throw refuse(`${key} is ${shown(id)}, an id below ${tokens.length} is needed`);
  }
  warnOnce(`${key} is ${id}, beyond the ${tokens.length} tokens of the vocabulary: it is left out`);
  return undefined;
}

/** The text of a key. */
export function textOf(metadata: Metadata, key: string): string {
  const value = metadata.get(key);
  if (typeof value !== "string") throw missing(key, value, "a text");
  return value;
}

/** The texts of a key. */
export function textsOf(metadata: Metadata, key: string): string[] {
  const value = metadata.get(key);
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) {
    throw missing(key, value, "a list of texts");
  }
  return value as string[];
}

/** The numbers of a key, one for each of `count` tokens. */
export function numbersOf(metadata: Metadata, key: string, count: number): number[] {
  const value = metadata.get(key);
  if (!Array.isArray(value) || value.some((item) => typeof item !== "number" || !Number.isFinite(item))) {
    throw missing(key, value, "a list of finite numbers");
  }
  if (value.length === count) return value as number[];
  throw refuse(`it has ${count} tokens but ${value.length} entries in ${key}, as many are needed`);
}

/** The switch of a key, if it is there. */
export function booleanOf(metadata: Metadata, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value !== undefined && typeof value !== "boolean") throw missing(key, value, "true or false");
  return value;
}

/** What is not there, or not of its kind. */
export function missing(key: string, value: GgufValue | undefined, wanted: string): UserError {
  return refuse(`${key} is ${value === undefined ? "missing" : `no such thing`}, ${wanted} is needed`);
}

/** Whether a value is a whole number from 0 to `most`. */
export function isWhole(value: GgufValue, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

/** A value for a message. */
export function shown(value: GgufValue): string {
  if (typeof value !== "string") return Array.isArray(value) ? "a list" : String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}

/** What is wrong with a tokenizer; who reads it says of which file. */
export const refuse = (what: string, hint?: string) => new UserError(what, hint);
