/** Grammar of answers, from the top: lists and relations; what stands in them is in parse_sum.ts, scalars end in parse_power.ts. */
import { apply, checkSize, type Node, type RelationOp } from "../node.ts";
import { type Cursor, isCommand, isMark, nested, next, peek, take } from "./cursor.ts";
import { parseArgument, parsePower } from "./parse_power.ts";
import { parseSets, parseSum } from "./parse_sum.ts";
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
