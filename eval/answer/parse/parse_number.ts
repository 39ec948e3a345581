/** Grammar of numbers: mixed numbers, and digits in a base. */
import { addRationals, compareRationals, isInteger, type Rational, rational } from "../rational.ts";
import { type Cursor, groupTokens, isCommand, isMark, next, peek } from "./cursor.ts";
import { type Node, number } from "../node.ts";
import { ParseFailure, tokenText } from "./token.ts";

/** A number, or a mixed number: an integer directly before a proper fraction of integers. */
export function parseNumber(c: Cursor): Node {
  const t = next(c);
  const node = number(t.value!);
  basedDigits.set(node, t.text);
  if (!isInteger(t.value!) || !/^\d+$/.test(t.text)) return node;
  const fraction = isCommand(c, "frac") ? latexFraction(c) : plainFraction(c);
  return fraction ? number(addRationals(t.value!, fraction)) : node;
}

function latexFraction(c: Cursor): Rational | null {
  const start = c.at;
  const tokens = c.tokens;
  next(c);
  const top = c.parseArgument(c);
  const bottom = c.parseArgument(c);
  if (top.kind === "number" && bottom.kind === "number" && isInteger(top.value) && isInteger(bottom.value)) {
    return mixedPart(top.value, bottom.value);
  }
  c.at = start;
  c.tokens = tokens;
  return null;
}

/** The fraction of `1 2/3` in plain writing. */
function plainFraction(c: Cursor): Rational | null {
  const [top, bottom] = [peek(c), peek(c, 2)];
  if (top.kind !== "number" || !top.spaced || !isMark(c, "/", 1) || bottom.kind !== "number") return null;
  next(c);
  next(c);
  next(c);
  return mixedPart(top.value!, bottom.value!);
}

function mixedPart(top: Rational, bottom: Rational): Rational {
  // 2 3/2 may be meant as a product or as a sum: left undecided.
  if (bottom.num <= 0n || top.num <= 0n || compareRationals(top, bottom) >= 0) {
    throw new ParseFailure("mixed number");
  }
  return rational(top.num, bottom.num);
}

/** True for what may carry a base. */
export function isDigits(node: Node): boolean {
  return node.kind === "number" && node.value.num >= 0n ||
    node.kind === "text" && /^[0-9A-Za-z]+$/.test(node.text);
}

/** `204_5`, `0.0011_{2}`, `111111_{(2)}`, `\text{A5}_{11}`: digits in a base. Base ten is no base. */
export function parseBase(c: Cursor, node: Node): Node {
  const digits = node.kind === "text" ? node.text : basedDigits.get(node) ?? "";
  next(c);
  const base = /^\(?(\d{1,2})\)?$/.exec(tokenText(groupTokens(c)))?.[1];
  if (!base || digits === "") throw new ParseFailure("base");
  if (base === "10" && node.kind === "number") return node;
  return { kind: "based", digits: digits.toUpperCase(), base: Number(base) };
}

/** The written digits of number nodes: 0.0011 in base two is not its decimal value. */
const basedDigits = new WeakMap<Node, string>();
