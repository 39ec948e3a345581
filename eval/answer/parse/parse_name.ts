/** Grammar of names: subscripts, primes, calls, angles. */
import { apply, constant, type Node, symbol } from "../node.ts";
import { type Cursor, expect, groupTokens, isMark, next, peek, take } from "./cursor.ts";
import { ParseFailure, type Token, tokenText } from "./token.ts";

/** A name with its subscript and primes; `e`, `i` are constants where they stand alone. */
export function parseName(c: Cursor, letter: string): Node {
  let name = letter;
  let bare = true;
  for (;;) {
    if (take(c, "'")) name += "'";
    else if (isMark(c, "_")) {
      next(c);
      name += `_${subscript(groupTokens(c))}`;
    } else if (isMark(c, "^") && isPowerBeforeSubscript(c)) {
      // v^2_0 is v_0^2
      const at = c.at;
      next(c);
      const power = c.parseArgument(c, true);
      next(c);
      name += `_${subscript(groupTokens(c))}`;
      return at < c.at ? apply("power", symbol(name), power) : symbol(name);
    } else break;
    bare = false;
  }
  if (bare && (name === "e" || name === "i")) return callOrName(c, constant(name));
  return callOrName(c, symbol(name));
}

function isPowerBeforeSubscript(c: Cursor): boolean {
  if (!isMark(c, "{", 1)) return isMark(c, "_", 2);
  let ahead = 2;
  while (ahead < 12 && !isMark(c, "}", ahead)) ahead++;
  return isMark(c, "_", ahead + 1);
}

function subscript(tokens: Token[]): string {
  const text = tokenText(tokens).replace(/["\s]/g, "");
  return text.length === 1 ? text : `{${text}}`;
}

type NamedNode = Node & { kind: "symbol" };

const FUNCTION_LETTERS = new Set("f g h F G H P Q W phi Phi psi Psi".split(" "));

/** f(x): a call, where the letter usually names a function or the brackets hold several arguments; else a product. */
function callOrName(c: Cursor, name: NamedNode): Node {
  if (!isMark(c, "(") || name.constant) return name;
  const several = bracketedItems(c);
  if (several === 0 || (several === 1 && !FUNCTION_LETTERS.has(name.name.replace(/[_'].*$/s, "")))) {
    return name;
  }
  next(c);
  const inside = c.parseList(c);
  expect(c, ")");
  return { kind: "apply", op: `call:${name.name}`, args: inside.kind === "list" ? inside.items : [inside] };
}

/** How many items stand between the round brackets that open here; 0 where they do not close as round ones. */
function bracketedItems(c: Cursor): number {
  const open: string[] = [];
  let items = 1;
  for (let ahead = 0; peek(c, ahead).kind !== "end"; ahead++) {
    const { kind, text } = peek(c, ahead);
    if (kind !== "mark") continue;
    if (OPENING.has(text)) open.push(text);
    else if (CLOSING.has(text)) {
      const opened = open.pop();
      if (open.length === 0) return opened === "(" && text === ")" ? items : 0;
    } else if (open.length === 1 && (text === "," || text === "and" || text === "or")) items++;
  }
  return 0;
}

const OPENING = new Set(["(", "[", "{", "\\{"]);
const CLOSING = new Set([")", "]", "}", "\\}"]);

/** The letters of an angle or a triangle, as one name. */
export function nameText(c: Cursor): string {
  const parts: Token[] = [];
  if (isMark(c, "{")) return tokenText(groupTokens(c));
  while (
    peek(c).kind === "letter" || isMark(c, "_") || isMark(c, "'") ||
    (isMark(c, "{") && parts.at(-1)?.text === "_")
  ) {
    if (isMark(c, "{")) parts.push(...groupTokens(c));
    else parts.push(next(c));
    if (parts.at(-1)!.text === "_" && !isMark(c, "{")) parts.push(next(c));
  }
  if (parts.length === 0) throw new ParseFailure("name expected");
  return tokenText(parts);
}
