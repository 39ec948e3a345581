/** Grammar of unions, ratios, sums and products. */
import { freeSymbols } from "../algebra/sample_points.ts";
import { apply, type Node } from "../node.ts";
import { type Cursor, isMark, nested, peek, take, takeCommand } from "./cursor.ts";
import { parsePower } from "./parse_power.ts";
import { mayBeUnit, parseUnit, unitAhead } from "./parse_unit.ts";
import { textUnit } from "./text_unit.ts";
import { ParseFailure } from "./token.ts";

/** Unions, intersections and differences of sets, and what is smaller. */
export function parseSets(c: Cursor): Node {
  let left = parseRatio(c);
  for (;;) {
    const op = ["union", "intersect", "setminus"].find((name) => takeCommand(c, name));
    if (!op) return left;
    left = apply(op, left, parseRatio(c));
  }
}

function parseRatio(c: Cursor): Node {
  const start = c.at;
  const items = [parseSum(c)];
  let timeLike = /^\d{1,2}$/.test(peek(c, -1).text) && c.at === start + 1;
  while (!c.colons && take(c, ":")) {
    const at = c.at;
    items.push(parseSum(c));
    timeLike &&= /^\d\d$/.test(c.tokens[at].text);
  }
  if (items.length === 1) return items[0];
  const last = items.at(-1)!;
  // The unit of 4:30 p.m. belongs to the whole.
  if (last.kind === "unit") {
    items[items.length - 1] = last.value;
    return { kind: "unit", unit: last.unit, value: { kind: "ratio", items, timeLike } };
  }
  return { kind: "ratio", items, timeLike };
}

/** Terms with + - and plus-minus between them; a unit behind them belongs to the sum. */
export function parseSum(c: Cursor): Node {
  return nested(c, () => {
    let left = parseTerm(c);
    for (;;) {
      if (isSignBehindGap(c)) return left;
      if (take(c, "+")) left = sum(left, parseTerm(c));
      else if (take(c, "-")) left = difference(left, parseTerm(c));
      else if (takeCommand(c, "pm")) left = apply("plusminus", left, parseTerm(c));
      else if (takeCommand(c, "mp")) left = apply("minusplus", left, parseTerm(c));
      else return parseUnit(c, left);
    }
  });
}

/** `u = 2 \quad -v = 9`: the sign belongs to what follows. */
const isSignBehindGap = (c: Cursor): boolean => peek(c).gap === "wide" && !peek(c, 1).spaced;

/** A difference of numbers, or of sets: \mathbb{R} - \{2\}. */
function difference(left: Node, right: Node): Node {
  return right.kind === "set" ? apply("setminus", left, right) : sum(left, apply("negate", right));
}

function sum(left: Node, right: Node): Node {
  return left.kind === "apply" && left.op === "add"
    ? { ...left, args: [...left.args, right] }
    : apply("add", left, right);
}

function parseTerm(c: Cursor): Node {
  if (take(c, "-")) return negative(nested(c, () => parseTerm(c)));
  if (take(c, "+")) return nested(c, () => parseTerm(c));
  if (takeCommand(c, "pm")) return apply("pm", nested(c, () => parseTerm(c)));
  if (takeCommand(c, "mp")) return apply("mp", nested(c, () => parseTerm(c)));
  return parseProduct(c);
}

/** The sign of -5\% and -30^\circ belongs to the value. */
const negative = (node: Node): Node =>
  node.kind === "percent" || node.kind === "unit"
    ? { ...node, value: apply("negate", node.value) }
    : apply("negate", node);

function parseProduct(c: Cursor): Node {
  let left = parsePower(c);
  for (;;) {
    if (isUnitBehind(c, left)) return left;
    if (take(c, "*")) left = product(left, parseSigned(c));
    else if (take(c, "/")) left = apply("divide", left, parseSigned(c));
    else if (startsFactor(c) && peek(c).gap !== "wide") {
      // Two numbers side by side are no product, and `x 3` after a number or a fraction is a slip.
      if (peek(c).kind === "number" && !mayPrecedeNumber(left, peek(c).spaced)) {
        throw new ParseFailure("numbers side by side");
      }
      left = beside(left, c);
    } else return left;
  }
}

/** Whether a space stands before the factor that is next; the one that ends a command such as \pi does not count. */
function standsApart(c: Cursor): "line" | "space" | null {
  const t = peek(c);
  if (t.gap === "line") return "line";
  return t.spaced && peek(c, -1).kind !== "command" ? "space" : null;
}

function product(left: Node, right: Node): Node & { kind: "apply" } {
  return left.kind === "apply" && left.op === "multiply"
    ? apply("multiply", ...left.args, right)
    : apply("multiply", left, right);
}

/** True if a unit is next, or the stroke of one behind a currency sign: the sum, or what is above, ends there. */
function isUnitBehind(c: Cursor, left: Node): boolean {
  if (left.kind === "unit") {
    return isMark(c, "/") && peek(c, 1).kind === "text" && textUnit(peek(c, 1).text) !== null;
  }
  return mayBeUnit(peek(c)) && (peek(c).spaced || freeSymbols(left).length === 0) && unitAhead(c);
}

/** The product with the factor that stands beside; of N(3) it is remembered that it may be a call. */
function beside(left: Node, c: Cursor): Node {
  const bracket = left.kind === "symbol" && !left.constant && isMark(c, "(");
  const apart = standsApart(c);
  const close = peek(c).kind === "letter" && !peek(c).spaced;
  const right = parsePower(c);
  const before = left.kind === "apply" && left.op === "multiply" ? left : null;
  const whole: Node & { kind: "apply" } = product(left, right);
  if (bracket && peek(c, -1).text === ")") whole.call = true;
  if (close || before?.close) whole.close = true;
  if (apart) {
    whole.apart = { from: before?.args.length ?? 1, line: apart === "line", close: before?.close === true };
  }
  if (!apart && before?.apart) whole.apart = before.apart;
  return whole;
}

/** A factor behind * or /, which may carry a sign. */
function parseSigned(c: Cursor): Node {
  if (take(c, "-")) return apply("negate", nested(c, () => parseSigned(c)));
  if (take(c, "+")) return nested(c, () => parseSigned(c));
  return parsePower(c);
}

function mayPrecedeNumber(left: Node, spaced: boolean): boolean {
  const last = left.kind === "apply" && left.op === "multiply" ? left.args.at(-1)! : left;
  return last.kind === "symbol" ||
    (last.kind === "apply" && last.op !== "divide" && (spaced || last.op !== "power"));
}

const FACTOR_MARKS = new Set(["(", "[", "{", "\\$"]);
const NO_FACTOR = new Set([
  ..."in notin subset equiv to union intersect setminus pm mp pmod bmod mod rfloor rceil rangle ldots ~ implies iff Rightarrow"
    .split(" "),
  ..."circ prime quad perp parallel over choose".split(" "),
]);

/** True if the next token starts a factor that stands beside the last one without a sign. */
function startsFactor(c: Cursor): boolean {
  const t = peek(c);
  if (t.kind === "number" || t.kind === "letter") return true;
  if (t.kind === "mark") {
    return FACTOR_MARKS.has(t.text) && t.text !== "\\$" || (t.text === "|" && c.bars === 0);
  }
  return t.kind === "command" && !NO_FACTOR.has(t.text) && !t.text.startsWith("end{");
}
