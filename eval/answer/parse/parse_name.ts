/** Grammar of names: subscripts, primes, calls, angles. */
import { apply, constant, type Node, symbol } from "../node.ts";
import { type Cursor, groupTokens, isMark, next, peek, take } from "./cursor.ts";
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
  const start = c.at;
  next(c);
  const inside = c.parseList(c);
  if (!take(c, ")")) {
    c.at = start;
    return name;
  }
  const args = inside.kind === "list" ? inside.items : [inside];
  if (args.length > 1 || FUNCTION_LETTERS.has(name.name.replace(/[_'].*$/s, ""))) {
    return { kind: "apply", op: `call:${name.name}`, args };
  }
  return { kind: "apply", op: "multiply", args: [name, inside], call: true };
}

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
