/** Grammar of answers, from the top: lists, relations, unions, ratios, sums, products. Scalars end in parse_power.ts. */
import { freeSymbols } from "../algebra/sample_points.ts";
import { apply, checkSize, type Node, type RelationOp } from "../node.ts";
import { type Cursor, isCommand, isMark, nested, next, peek, take, takeCommand } from "./cursor.ts";
import { parseArgument, parsePower } from "./parse_power.ts";
import { mayBeUnit, parseUnit, unitAhead } from "./parse_unit.ts";
import { textUnit } from "./text_unit.ts";
import { ParseFailure, type Token } from "./token.ts";

/**
 * Parses the tokens of one whole answer.
 *
 * @throws ParseFailure for what the grammar does not know, TooLarge beyond the budgets
 */
export function parseTokens(tokens: Token[]): Node {
  const c: Cursor = {
    tokens,
    at: 0,
    depth: 0,
    steps: 0,
    bars: 0,
    colons: false,
    uprightSymbols: false,
    parseList,
    parseSum,
    parsePower,
    parseArgument,
  };
  const label = takeLabel(c);
  const value = parseSemicolons(c);
  const node: Node = label === null ? value : apply("choice", { kind: "text", text: label }, value);
  if (peek(c).kind !== "end") throw new ParseFailure(`cannot read on at ${peek(c).text}`);
  checkSize(node);
  return node;
}

/** The letter of a choice before what it says: `\textbf{(C)}\ 14`, `(C) 14`. */
function takeLabel(c: Cursor): string | null {
  const t = peek(c);
  if (t.kind === "text" && !isSeparator(peek(c, 1))) {
    const m = /^(?:\(([A-J])\)[.:]?|([A-J])[.):])$/.exec(t.text);
    if (m) next(c);
    return m && (m[1] ?? m[2]);
  }
  const bracketed = isMark(c, "(") && /^[A-J]$/.test(peek(c, 1).text) && isMark(c, ")", 2) &&
    peek(c, 3).spaced;
  if (!bracketed || !/^(?:number|text)$/.test(peek(c, 3).kind)) return null;
  const letter = peek(c, 1).text;
  for (let k = 0; k < 3; k++) next(c);
  return letter;
}

const isSeparator = (t: Token): boolean =>
  t.kind === "end" ||
  (t.kind === "mark" && (SEPARATORS.has(t.text) || RELATION_MARKS.has(t.text) || t.text === "_"));

function parseSemicolons(c: Cursor): Node {
  const groups = [parseList(c)];
  while (take(c, ";")) {
    if (!take(c, "or")) take(c, "and");
    groups.push(parseList(c));
  }
  if (groups.length === 1) return groups[0];
  return { kind: "list", items: groups };
}

type Separator = "," | "and" | "or" | "gap";

/** Steps over one separator: a comma, `and`, `or`, or a comma with one of them; a wide space or the end of a row. */
function takeSeparator(c: Cursor): Separator | null {
  if (
    take(c, "\\\\") || (peek(c).gap === "wide" && peek(c).kind !== "end" && !SEPARATORS.has(peek(c).text))
  ) return "gap";
  const comma = take(c, ",");
  const word = take(c, "and") ? "and" : take(c, "or") ? "or" : null;
  return word ?? (comma ? "," : null);
}

/** The name that an item gives a value to. */
const nameOf = (item: Node): string | null =>
  item.kind === "relation" && item.ops.length > 0 && item.ops[0] === "=" && item.sides[0].kind === "symbol"
    ? item.sides[0].name
    : null;

/** `a=3, b=1 or a=5, b=2`: groups with the same names, one for each solution; null where the items are something else. */
function grouped(items: Node[], breaks: number[]): Node[] | null {
  const names = items.map(nameOf);
  const again = names.indexOf(names[0], 1);
  if (names.includes(null) || again < 2 || items.length % again !== 0) return null;
  const starts = Array.from({ length: items.length / again }, (_, k) => k * again);
  const own = (start: number) => names.slice(start, start + again).sort().join();
  if (new Set(names.slice(0, again)).size < again || starts.some((start) => own(start) !== own(0))) {
    return null;
  }
  if (breaks.some((at) => at % again !== 0)) return null;
  return starts.map((start) => ({ kind: "list", joined: "and", items: items.slice(start, start + again) }));
}

/** Items between commas, `and`, `or`; one item alone comes back as itself. */
function parseList(c: Cursor): Node {
  return nested(c, () => {
    const items = [parseRelation(c)];
    const words = new Set<"," | "and" | "or">();
    const breaks: number[] = [];
    for (let word = takeSeparator(c); word; word = takeSeparator(c)) {
      words.add(word === "gap" ? "," : word);
      if (word === "or" || word === "gap") breaks.push(items.length);
      items.push(parseRelation(c));
      // u = 2 \quad v = 9 are two equations; 5 \quad 6 may be anything.
      if (word === "gap" && !items.slice(-2).every((item) => item.kind === "relation")) {
        throw new ParseFailure("a gap");
      }
    }
    if (items.length === 1) return items[0];
    const solutions = grouped(items, breaks);
    if (solutions) return { kind: "list", joined: "or", items: solutions };
    const [only] = words;
    return words.size === 1 && only !== "," ? { kind: "list", items, joined: only } : { kind: "list", items };
  });
}

const SEPARATORS = new Set([",", "and", "or", ";", ")", "]", "}", "\\}", "|", ":"]);

const RELATION_MARKS = new Set(["=", "<", ">", "<=", ">=", "!=", "~"]);
const RELATION_COMMANDS = new Set(["in", "notin", "subset", "equiv", "to", "~"]);

function takeRelation(c: Cursor): RelationOp | null {
  const t = peek(c);
  const known = t.kind === "mark"
    ? RELATION_MARKS.has(t.text)
    : t.kind === "command" && RELATION_COMMANDS.has(t.text);
  return known ? next(c).text as RelationOp : null;
}

function parseRelation(c: Cursor): Node {
  // "= 5" and "\approx 8.24": the left side was left out.
  if (isMark(c, "=") || isMark(c, "~")) next(c);
  const sides = [parseSets(c)];
  const ops: RelationOp[] = [];
  for (let op = takeRelation(c); op; op = takeRelation(c)) {
    ops.push(op);
    sides.push(parseSets(c));
  }
  const node: Node = ops.length === 0 ? sides[0] : { kind: "relation", ops, sides };
  return parseModulus(c, node);
}

/** `\pmod{11}` behind a congruence: kept as a part of its own. */
function parseModulus(c: Cursor, node: Node): Node {
  if (!isCommand(c, "pmod") && !isCommand(c, "bmod") && !isCommand(c, "mod")) return node;
  next(c);
  return apply("mod", node, parsePower(c));
}

function parseSets(c: Cursor): Node {
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
function parseSum(c: Cursor): Node {
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
  const right = parsePower(c);
  const before = left.kind === "apply" && left.op === "multiply" ? left : null;
  const whole: Node & { kind: "apply" } = product(left, right);
  if (bracket && peek(c, -1).text === ")") whole.call = true;
  if (apart) whole.apart = { from: before?.args.length ?? 1, line: apart === "line" };
  else if (before?.apart) whole.apart = before.apart;
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
