/** Named functions: `\sin^2 x`, `\log_{10} 250`, `\max(a, b)`, sums and products with bounds. */
import { apply, type Node, number, symbol } from "../node.ts";
import { type Cursor, expect, groupTokens, isMark, nested, next, peek, take } from "./cursor.ts";
import { ParseFailure, type Token } from "./token.ts";
import { rational } from "../rational.ts";
import { FUNCTIONS, SYMMETRIC } from "./vocabulary.ts";

const TRIGONOMETRIC = /^(?:sin|cos|tan|cot|sec|csc)$/;
const INVERTIBLE = /^(?:sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)$/;

/** Parses what follows the command `name`. */
export function parseFunction(c: Cursor, name: string): Node {
  if (name === "sum" || name === "prod") return parseBounded(c, name);
  if (!FUNCTIONS.has(name)) return unknown(c, name);
  if (name === "sqrt") return apply("root", c.parseArgument(c), number(rational(2n)));
  let base: Node | null = null;
  let power: Node | null = null;
  while (isMark(c, "_") || isMark(c, "^")) {
    const mark = next(c).text;
    if (mark === "_") base = c.parseArgument(c, true);
    else power = c.parseArgument(c, true);
  }
  if (base && name !== "log") throw new ParseFailure(`subscript of ${name}`);
  const args = parseArguments(c, name);
  if (power && isMinusOne(power) && INVERTIBLE.test(name)) return apply(`arc${name}`, ...args);
  const value = name === "log" ? apply("log", ...args, base ?? number(rational(10n))) : apply(name, ...args);
  return power ? apply("power", value, power) : value;
}

const STRUCTURAL = new Set(
  ("not stackrel over choose atop lim limsup liminf int iint oint ldots implies iff Rightarrow Leftarrow Leftrightarrow therefore because forall " +
    "exists perp parallel cong sim propto nmid underbrace overbrace substack hline cline left right rangle rfloor rceil")
    .split(" "),
);

/** A command that nobody knows, without an argument, is a name. */
function unknown(c: Cursor, name: string): Node {
  if (STRUCTURAL.has(name) || name.startsWith("end{") || isMark(c, "{") || isMark(c, "[")) {
    throw new ParseFailure(`\\${name}`);
  }
  return symbol(`\\${name}`);
}

function isMinusOne(node: Node): boolean {
  return node.kind === "apply" && node.op === "negate" && node.args[0].kind === "number" &&
    node.args[0].value.num === 1n &&
    node.args[0].value.den === 1n;
}

function parseArguments(c: Cursor, name: string): Node[] {
  if (isMark(c, "(") || isMark(c, "[") || (SYMMETRIC.has(name) && isMark(c, "\\{"))) {
    const open = next(c).text;
    const inside = c.parseList(c);
    expect(c, open === "(" ? ")" : open === "[" ? "]" : "\\}");
    const args = inside.kind === "list" ? inside.items : [inside];
    if (args.length > 1 && !SYMMETRIC.has(name)) throw new ParseFailure(`${name} of several`);
    return args;
  }
  if (isMark(c, "{")) return [c.parseArgument(c)];
  return [bareArgument(c, name)];
}

/** `\sin 2x`, `\ln \frac{a}{b}`: factors up to the next sign or function. */
function bareArgument(c: Cursor, name: string): Node {
  if (take(c, "-")) return apply("negate", nested(c, () => bareArgument(c, name)));
  const factors = [c.parsePower(c)];
  while (continues(peek(c))) factors.push(c.parsePower(c));
  const last = factors.at(-1)!;
  if (isMark(c, "/") && TRIGONOMETRIC.test(name) && last.kind === "symbol" && last.name === "pi") {
    // \sin \pi/5 is written for both readings.
    throw new ParseFailure("quotient behind an angle");
  }
  return factors.length === 1 ? factors[0] : apply("multiply", ...factors);
}

function continues(t: Token): boolean {
  if (t.kind === "letter" || t.kind === "number") return true;
  return t.kind === "command" &&
    (t.text === "pi" || t.text === "frac" || t.text === "theta" || t.text === "alpha" || t.text === "sqrt");
}

/** `\sum_{k=1}^{n} body`: the body is the product that follows. */
function parseBounded(c: Cursor, op: string): Node {
  let below: Node | null = null;
  let above: Node | null = null;
  while (isMark(c, "_") || isMark(c, "^")) {
    if (next(c).text === "_") {
      if (!isMark(c, "{")) groupTokens(c);
      else below = braced(c);
    } else above = c.parseArgument(c, true);
  }
  if (
    !below || !above || below.kind !== "relation" || below.ops[0] !== "=" || below.sides[0].kind !== "symbol"
  ) {
    throw new ParseFailure("bounds");
  }
  const factors = [c.parsePower(c)];
  while (
    continues(peek(c)) || isMark(c, "(") || isMark(c, "*") ||
    peek(c).kind === "command" && FUNCTIONS.has(peek(c).text)
  ) {
    take(c, "*");
    factors.push(c.parsePower(c));
  }
  const body = factors.length === 1 ? factors[0] : apply("multiply", ...factors);
  return apply(op, below.sides[0], below.sides[1], above, body);
}

function braced(c: Cursor): Node {
  expect(c, "{");
  const node = c.parseList(c);
  expect(c, "}");
  return node;
}
