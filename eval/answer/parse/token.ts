/** Tokens of an answer, and the reader that collects them. */
import type { Rational } from "../rational.ts";

/** One token. `spaced` says that space stood before it. */
export interface Token {
  kind: "number" | "letter" | "command" | "mark" | "text" | "unit" | "end";
  text: string;
  spaced: boolean;
  value?: Rational;
  /** for letters and bare words: the length of the run of letters it came from */
  run?: number;
}

/** Thrown for text that is not an answer the rules can read; the pair is then compared as text. */
export class ParseFailure extends Error {
  override name = "ParseFailure";
}

const OPEN = new Set(["(", "[", "\\{"]);
const CLOSE = new Set([")", "]", "\\}"]);

/** A text on its way to tokens. */
export interface Reader {
  text: string;
  at: number;
  tokens: Token[];
  spaced: boolean;
  /** depth of ( [ \{ : inside them `1,234` is a list */
  depth: number;
  /** plain text, where `1,5` is a decimal and `5 m` five metres; in maths both are something else */
  plain: boolean;
  /** reads a text inside of this one */
  lex: (text: string, plain: boolean) => Token[];
}

/** Adds a token that took `length` characters. */
export function push(
  r: Reader,
  kind: Token["kind"],
  text: string,
  length: number,
  extra?: Partial<Token>,
): void {
  r.tokens.push({ kind, text, spaced: r.spaced, ...extra });
  r.spaced = false;
  r.at += length;
  if (OPEN.has(text) && kind === "mark") r.depth++;
  if (CLOSE.has(text) && kind === "mark") r.depth--;
}

/** The tokens as one line: two answers with the same line are identical text. */
export function tokenText(tokens: Token[]): string {
  let line = "";
  let last = "";
  for (const t of tokens) {
    if (t.kind === "number" && last === "number") line += " ";
    line += t.kind === "text" || t.kind === "unit"
      ? `"${t.text}"`
      : t.kind === "command"
      ? `\\${t.text} `
      : t.text;
    last = t.kind;
  }
  return line;
}
