/** Tokens of an answer, and the reader that collects them. */
import type { Rational } from "../rational.ts";

/** One token. `spaced` says that space stood before it. */
export interface Token {
  kind: "number" | "letter" | "command" | "mark" | "text" | "unit" | "end";
  text: string;
  spaced: boolean;
  /** more than a space stood before it: `line`, an end of a line or of a piece of maths; `wide`, a \quad or more */
  gap?: "line" | "wide";
  value?: Rational;
  /** a letter in an upright face: after a number it is a unit */
  upright?: true;
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
  /** what stands before the next token: signs that open or close maths, ends of lines, wide spaces */
  gap: { delimiters: number; line: boolean; wide: boolean };
  /** depth of ( [ \{ : inside them `1,234` is a list */
  depth: number;
  /** plain text, where `1,5` is a decimal and `5 m` five metres; in maths both are something else */
  plain: boolean;
  /** in an upright face, where words are words and letters may be units */
  upright: boolean;
  /** reads a text inside of this one */
  lex: (text: string, plain: boolean, upright?: boolean) => Token[];
}

/** A gap in which nothing has been seen yet. */
export const noGap = (): Reader["gap"] => ({ delimiters: 0, line: false, wide: false });

/** Adds a token that took `length` characters. */
export function push(
  r: Reader,
  kind: Token["kind"],
  text: string,
  length: number,
  extra?: Partial<Token>,
): void {
  const { delimiters, line, wide } = r.gap;
  const gap = wide ? "wide" : line || delimiters > 1 ? "line" : undefined;
  r.tokens.push({ kind, text, spaced: r.spaced, ...(gap && { gap }), ...extra });
  r.spaced = false;
  if (gap || delimiters > 0) r.gap = noGap();
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
    // u=2 \quad v=9 is not u=2v=9.
    if (t.gap === "wide" && /[^,;]$/.test(line)) line += "  ";
    if (t.kind === "mark" && t.text === "." && last === "number") line += " ";
    line += t.kind === "text" || t.kind === "unit"
      ? `"${t.text}"`
      : t.kind === "command"
      ? `\\${t.text} `
      : t.text;
    last = t.kind;
  }
  return line;
}
