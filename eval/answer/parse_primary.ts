/** Grammar of scalars: numbers, names, powers, roots, fractions, brackets, matrices. Functions are in parse_function.ts. */
import { apply, constant, type Node, number, symbol } from "./node.ts";
import {
  type Cursor,
  expect,
  groupTokens,
  isCommand,
  isMark,
  nested,
  next,
  peek,
  take,
  takeCommand,
} from "./cursor.ts";
import { ParseFailure, type Token, tokenText } from "./token.ts";
import { addRationals, compareRationals, isInteger, type Rational, rational } from "./rational.ts";
import { parseFunction } from "./parse_function.ts";
import { currencyName, isCurrency } from "./parse_unit.ts";
import { DECORATIONS, GREEK } from "./vocabulary.ts";

/** One factor with what is bound to it: powers, factorials, percent and degree signs, bases. */
export function parsePower(c: Cursor): Node {
  return nested(c, () => {
    let node = parsePrimary(c);
    for (;;) {
      if (isMark(c, "^")) node = parseExponent(c, node);
      else if (take(c, "!")) node = apply("factorial", node);
      else if (isMark(c, "%")) {
        next(c);
        node = { kind: "percent", value: node };
      } else if (isMark(c, "_") && isDigits(node)) node = parseBase(c, node);
      else if (isCommand(c, "circ") || isCommand(c, "deg")) {
        next(c);
        node = { kind: "unit", value: node, unit: "deg" };
      } else return node;
    }
  });
}

function parseExponent(c: Cursor, base: Node): Node {
  next(c);
  const start = c.at;
  const tokens = groupTokens(c);
  const only = tokens.length === 1 ? tokens[0] : undefined;
  if (only?.kind === "command" && (only.text === "circ" || only.text === "deg")) return degrees(c, base);
  if (only?.kind === "text" && /^(?:st|nd|rd|th)$/.test(only.text)) {
    return { kind: "unit", value: base, unit: "th" };
  }
  if (tokens.length > 0 && tokens.every((t) => t.text === "'")) {
    if (base.kind !== "symbol") throw new ParseFailure("prime");
    return symbol(base.name + "'".repeat(tokens.length));
  }
  c.at = start;
  return apply("power", base, parseArgument(c, true));
}

function degrees(c: Cursor, value: Node): Node {
  const scale = peek(c);
  if (scale.kind === "letter" && (scale.text === "C" || scale.text === "F")) {
    next(c);
    return { kind: "unit", value, unit: `deg${scale.text}` };
  }
  return { kind: "unit", value, unit: "deg" };
}

/** The argument of a command or of ^: a brace group, or one token (one digit of a number, unless `whole`). */
export function parseArgument(c: Cursor, whole = false): Node {
  if (take(c, "{")) {
    const node = c.parseList(c);
    expect(c, "}");
    return node;
  }
  const t = peek(c);
  if (t.kind === "number" && !whole && /^\d+$/.test(t.text) && t.text.length > 1) return splitDigit(c, t);
  if (whole && take(c, "-")) return apply("negate", parsePrimary(c));
  if (whole && take(c, "+")) return parsePrimary(c);
  return parsePrimary(c);
}

/** \frac12 is one half: the first digit is the argument, the rest stays. */
function splitDigit(c: Cursor, t: Token): Node {
  const [first, rest] = [t.text[0], t.text.slice(1)];
  c.tokens = [...c.tokens];
  c.tokens[c.at] = { ...t, text: rest, value: rational(BigInt(rest)), spaced: false };
  return number(rational(BigInt(first)));
}

function isDigits(node: Node): boolean {
  return node.kind === "number" && node.value.num >= 0n ||
    node.kind === "text" && /^[0-9A-Za-z]+$/.test(node.text);
}

/** `204_5`, `0.0011_{2}`, `111111_{(2)}`, `\text{A5}_{11}`: digits in a base. Base ten is no base. */
function parseBase(c: Cursor, node: Node): Node {
  const digits = node.kind === "text" ? node.text : basedDigits.get(node) ?? "";
  next(c);
  const base = /^\(?(\d{1,2})\)?$/.exec(tokenText(groupTokens(c)))?.[1];
  if (!base || digits === "") throw new ParseFailure("base");
  if (base === "10" && node.kind === "number") return node;
  return { kind: "based", digits: digits.toUpperCase(), base: Number(base) };
}

/** The written digits of number nodes: 0.0011 in base two is not its decimal value. */
const basedDigits = new WeakMap<Node, string>();

function parsePrimary(c: Cursor): Node {
  const t = peek(c);
  switch (t.kind) {
    case "number":
      return parseNumber(c);
    case "letter":
      next(c);
      return parseName(c, t.text);
    case "text":
      next(c);
      return { kind: "text", text: t.text };
    case "command":
      return parseCommand(c);
    case "mark":
      return parseMark(c);
    default:
      throw new ParseFailure(`cannot read ${t.text || "an end"}`);
  }
}

/** A number, or a mixed number: an integer directly before a proper fraction of integers. */
function parseNumber(c: Cursor): Node {
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
  const top = parseArgument(c);
  const bottom = parseArgument(c);
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
      const power = parseArgument(c, true);
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

function parseMark(c: Cursor): Node {
  const t = next(c);
  if (t.text === "(" || t.text === "[") return parseBrackets(c, t.text);
  if (t.text === "{") {
    const node = c.parseList(c);
    expect(c, "}");
    return node;
  }
  if (t.text === "\\{") {
    if (take(c, "\\}")) return { kind: "set", items: [] };
    const inside = c.parseList(c);
    expect(c, "\\}");
    return { kind: "set", items: inside.kind === "list" ? inside.items : [inside] };
  }
  if (t.text === "|") {
    c.bars++;
    const inside = c.parseSum(c);
    expect(c, "|");
    c.bars--;
    return apply("abs", inside);
  }
  c.at--;
  if (isCurrency(c)) {
    next(c);
    return {
      kind: "unit",
      value: take(c, "-") ? apply("negate", parsePower(c)) : parsePower(c),
      unit: currencyName(t.text),
    };
  }
  throw new ParseFailure(`cannot read ${t.text}`);
}

function parseBrackets(c: Cursor, open: "(" | "["): Node {
  const bars = c.bars;
  c.bars = 0;
  const groups = [c.parseList(c)];
  while (take(c, ";")) groups.push(c.parseList(c));
  c.bars = bars;
  const close = next(c).text;
  if (close !== ")" && close !== "]") throw new ParseFailure("bracket expected");
  const items = groups.length === 1 ? (groups[0].kind === "list" ? groups[0].items : groups) : groups;
  if (items.length > 1) return { kind: "tuple", open, close, items };
  if ((open === "(") !== (close === ")")) throw new ParseFailure("brackets differ");
  return items[0];
}

function parseCommand(c: Cursor): Node {
  const t = next(c);
  const name = t.text;
  if (name === "frac") return apply("divide", parseArgument(c), parseArgument(c));
  if (name === "sqrt") return parseRoot(c);
  if (name === "binom") return apply("binomial", parseArgument(c), parseArgument(c));
  if (name === "pi" || name === "infinity") return constant(name);
  if (name === "emptyset") return { kind: "set", items: [] };
  if (name === "angle" || name === "triangle") return symbol(`${name} ${nameText(c)}`);
  if (name === "lfloor") return closed(c, "floor", "rfloor");
  if (name === "lceil") return closed(c, "ceil", "rceil");
  if (name === "langle") return parseAngle(c);
  if (name.startsWith("begin{")) return parseMatrix(c, name.slice(6, -1));
  if (DECORATIONS.has(name)) return parseName(c, `${name}{${tokenText(groupTokens(c))}}`);
  // \Delta p is one quantity.
  if (name === "Delta" && peek(c).kind === "letter") return parseName(c, `Delta ${next(c).text}`);
  if (GREEK.has(name)) return parseName(c, name);
  return parseFunction(c, name);
}

function parseRoot(c: Cursor): Node {
  if (!take(c, "[")) return apply("root", rootArgument(c), number(rational(2n)));
  const degree = c.parseSum(c);
  expect(c, "]");
  return apply("root", parseArgument(c), degree);
}

/** sqrt(3) in plain writing, \sqrt3 and \sqrt{3} in LaTeX. */
function rootArgument(c: Cursor): Node {
  const node = parseArgument(c);
  const after = peek(c);
  // \sqrt12: one digit or both?
  if (node.kind === "number" && after.kind === "number" && !after.spaced) {
    throw new ParseFailure("root of digits");
  }
  return node;
}

function closed(c: Cursor, op: string, end: string): Node {
  const node = apply(op, c.parseSum(c));
  if (!takeCommand(c, end)) throw new ParseFailure(`${end} expected`);
  return node;
}

function parseAngle(c: Cursor): Node {
  const inside = c.parseList(c);
  if (!takeCommand(c, "rangle")) throw new ParseFailure("rangle expected");
  return { kind: "tuple", open: "(", close: ")", items: inside.kind === "list" ? inside.items : [inside] };
}

/** The letters of an angle or a triangle, as one name. */
function nameText(c: Cursor): string {
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

const MATRICES = new Set([
  "matrix",
  "pmatrix",
  "bmatrix",
  "Bmatrix",
  "smallmatrix",
  "array",
  "psmallmatrix",
  "bsmallmatrix",
]);

function parseMatrix(c: Cursor, environment: string): Node {
  if (!MATRICES.has(environment)) throw new ParseFailure(`environment ${environment}`);
  const end = `end{${environment}}`;
  const rows: Node[][] = [[]];
  while (!takeCommand(c, end)) {
    rows.at(-1)!.push(c.parseSum(c));
    if (take(c, "\\\\")) {
      if (takeCommand(c, end)) break;
      rows.push([]);
    } else if (!take(c, "&") && !isCommand(c, end)) throw new ParseFailure("matrix");
  }
  if (rows.some((row) => row.length !== rows[0].length || row.length === 0)) {
    throw new ParseFailure("ragged matrix");
  }
  return { kind: "matrix", rows };
}
