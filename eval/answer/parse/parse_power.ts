/** Grammar of scalars: powers, roots, fractions and what a command starts. */
import { apply, constant, type Node, number, symbol } from "../node.ts";
import { rational } from "../rational.ts";
import { type Cursor, expect, groupTokens, isCommand, isMark, nested, next, peek, take } from "./cursor.ts";
import { closed, parseAngle, parseMark, parseMatrix } from "./parse_brackets.ts";
import { parseFunction } from "./parse_function.ts";
import { nameText, parseName } from "./parse_name.ts";
import { isDigits, parseBase, parseNumber } from "./parse_number.ts";
import { ParseFailure, type Token, tokenText } from "./token.ts";
import { DECORATIONS, GREEK } from "./vocabulary.ts";

/** One factor with what is bound to it: powers, factorials, percent and degree signs, bases. */
export function parsePower(c: Cursor): Node {
  return nested(c, () => {
    let node = parsePrimary(c);
    let raised = false;
    for (;;) {
      if (isMark(c, "^")) {
        const before = node;
        node = parseExponent(c, node);
        // a^b^c is no LaTeX, and is read both ways elsewhere.
        if (raised && node.kind === "apply" && node.args[0] === before) {
          throw new ParseFailure("two exponents");
        }
        raised = true;
      } else if (take(c, "!")) {
        if (isMark(c, "!")) throw new ParseFailure("double factorial");
        node = apply("factorial", node);
      } else if (isMark(c, "%")) {
        if (node.kind === "percent") throw new ParseFailure("two percent signs");
        next(c);
        node = { kind: "percent", value: node };
      } else if (isMark(c, "_") && isDigits(node)) node = parseBase(c, node);
      else if (isCommand(c, "circ") || isCommand(c, "deg")) {
        next(c);
        node = degrees(c, node);
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
  const name = scale.kind === "letter" || scale.kind === "text"
    ? /^(?:(C)(?:elsius)?|(F)(?:ahrenheit)?)$/i.exec(scale.text)
    : null;
  if (name) {
    next(c);
    return { kind: "unit", value, unit: `deg${name[1] ? "C" : "F"}` };
  }
  return { kind: "unit", value: withMinutes(c, value), unit: "deg" };
}

/** `31^{\\circ} 30' 15''`: minutes and seconds of an angle behind its degrees. */
function withMinutes(c: Cursor, degreesOnly: Node): Node {
  const parts = [degreesOnly];
  for (const [primes, share] of [[1, 60n], [2, 3600n]] as const) {
    const t = peek(c);
    if (t.kind !== "number" || primesAt(c, 1).count !== primes) continue;
    const { length } = primesAt(c, 1);
    for (let k = 0; k <= length; k++) next(c);
    parts.push(apply("divide", number(t.value!), number(rational(share))));
  }
  return parts.length === 1 ? degreesOnly : apply("add", ...parts);
}

/** Primes that stand at a place, plain or raised, and how many tokens they take. */
function primesAt(c: Cursor, ahead: number): { count: number; length: number } {
  const raised = isMark(c, "^", ahead);
  const braced = raised && isMark(c, "{", ahead + 1);
  const from = ahead + Number(raised) + Number(braced);
  let count = 0;
  while (isMark(c, "'", from + count)) count++;
  if (braced && !isMark(c, "}", from + count)) return { count: 0, length: 0 };
  return { count, length: from - ahead + count + Number(braced) };
}

/**
 * The argument of a command or of ^: a brace group, or one token (one digit of a number, unless `whole`). A letter is an
 * argument without what stands behind it: in \sqrt x(y+1) and 3^k(k-2) the brackets are factors.
 */
export function parseArgument(c: Cursor, whole = false): Node {
  if (take(c, "{")) {
    const node = c.parseList(c);
    expect(c, "}");
    return node;
  }
  const t = peek(c);
  if (t.kind === "number" && !whole && /^\d+$/.test(t.text) && t.text.length > 1) return splitDigit(c, t);
  if (whole && take(c, "-")) return apply("negate", parseOne(c));
  if (whole) take(c, "+");
  return parseOne(c);
}

function parseOne(c: Cursor): Node {
  const t = peek(c);
  if (t.kind === "letter") {
    return t.text === "e" || t.text === "i" ? constant(next(c).text) : symbol(next(c).text);
  }
  if (t.kind === "command" && GREEK.has(t.text)) return symbol(next(c).text);
  return parsePrimary(c);
}

/** \frac12 is one half: the first digit is the argument, the rest stays. */
function splitDigit(c: Cursor, t: Token): Node {
  const [first, rest] = [t.text[0], t.text.slice(1)];
  c.tokens = [...c.tokens];
  c.tokens[c.at] = { ...t, text: rest, value: rational(BigInt(rest)), spaced: false };
  return number(rational(BigInt(first)));
}

function parsePrimary(c: Cursor): Node {
  const t = peek(c);
  switch (t.kind) {
    case "number":
      return parseNumber(c);
    case "letter":
      next(c);
      c.uprightSymbols ||= t.upright === true;
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
