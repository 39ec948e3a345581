/** A place in a row of tokens, and what the parsing functions share. */
import { MAX_DEPTH, MAX_NODES, TooLarge } from "../budget.ts";
import { ParseFailure, type Token } from "./token.ts";
import type { Node } from "../node.ts";

/** State of one parse. The functions close the circle between parts of the grammar that stand in different files. */
export interface Cursor {
  tokens: Token[];
  at: number;
  depth: number;
  steps: number;
  /** in a set that begins with a letter a colon is no ratio */
  colons: boolean;
  /** an upright letter was read as a symbol: the next one is no unit */
  uprightSymbols: boolean;
  /** open bars: inside |...| a bar closes */
  bars: number;
  parseList: (c: Cursor) => Node;
  parseSum: (c: Cursor) => Node;
  parsePower: (c: Cursor) => Node;
  parseArgument: (c: Cursor, whole?: boolean) => Node;
}

const END: Token = { kind: "end", text: "", spaced: true };

export const peek = (c: Cursor, ahead = 0): Token => c.tokens[c.at + ahead] ?? END;

export function next(c: Cursor): Token {
  if (++c.steps > MAX_NODES * 4) throw new TooLarge("tokens");
  return c.tokens[c.at++] ?? END;
}

/** True if the next token is this mark. */
export function isMark(c: Cursor, text: string, ahead = 0): boolean {
  const t = peek(c, ahead);
  return t.kind === "mark" && t.text === text;
}

export function isCommand(c: Cursor, text: string, ahead = 0): boolean {
  const t = peek(c, ahead);
  return t.kind === "command" && t.text === text;
}

/** Steps over the mark if it is next. */
export function take(c: Cursor, text: string): boolean {
  if (!isMark(c, text)) return false;
  next(c);
  return true;
}

/** Steps over the command if it is next. */
export function takeCommand(c: Cursor, text: string): boolean {
  if (!isCommand(c, text)) return false;
  next(c);
  return true;
}

export function expect(c: Cursor, text: string): void {
  if (!take(c, text)) throw new ParseFailure(`${text} expected`);
}

/** Runs one level of the grammar, counting the nesting. */
export function nested<T>(c: Cursor, parse: () => T): T {
  if (++c.depth > MAX_DEPTH) throw new TooLarge("depth");
  const result = parse();
  c.depth--;
  return result;
}

/** The tokens of the brace group that is next, or the single next token; the cursor stands behind it. */
export function groupTokens(c: Cursor): Token[] {
  if (!take(c, "{")) {
    const t = next(c);
    if (t.kind === "end") throw new ParseFailure("argument expected");
    return [t];
  }
  const start = c.at;
  let depth = 1;
  while (depth > 0) {
    const t = next(c);
    if (t.kind === "end") throw new ParseFailure("} expected");
    if (t.kind === "mark" && t.text === "{") depth++;
    if (t.kind === "mark" && t.text === "}") depth--;
  }
  return c.tokens.slice(start, c.at - 1);
}
