/** Grammar of what stands in brackets: groups, tuples, intervals, sets, bars, matrices. */
import { apply, type Node } from "../node.ts";
import { type Cursor, expect, isCommand, isMark, next, peek, take, takeCommand } from "./cursor.ts";
import { isSystem, parseSystem, takeBrace } from "./parse_system.ts";
import { ParseFailure } from "./token.ts";
import { currencyName, isCurrency } from "./parse_unit.ts";

/** Parses what a mark opens: a bracket, a bar, a currency sign. */
export function parseMark(c: Cursor): Node {
  const t = next(c);
  if (t.text === "(" || t.text === "[") return parseBrackets(c, t.text);
  if (t.text === "{") return parseGroup(c);
  if (t.text === "\\{") {
    if (take(c, "\\}")) return { kind: "set", items: [] };
    const system = peek(c).kind === "command" ? /^begin\{(.*)\}$/.exec(peek(c).text)?.[1] : undefined;
    if (system && (isSystem(system) || system === "array" || system === "matrix")) {
      next(c);
      const node = parseSystem(c, system);
      takeBrace(c);
      return node;
    }
    return parseSet(c);
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
      value: take(c, "-") ? apply("negate", c.parsePower(c)) : c.parsePower(c),
      unit: currencyName(t.text),
    };
  }
  throw new ParseFailure(`cannot read ${t.text}`);
}

/** A brace group, with the old forms `{a \over b}` and `{n \choose k}`. */
function parseGroup(c: Cursor): Node {
  const node = c.parseList(c);
  const old = takeCommand(c, "over") ? "divide" : takeCommand(c, "choose") ? "binomial" : null;
  const whole = old ? apply(old, node, c.parseList(c)) : node;
  expect(c, "}");
  return whole;
}

/** The members of a set; of `\{x \mid x > 2\}` and `\{x \in \mathbb{R} : x > 2\}` the letter and its conditions. */
function parseSet(c: Cursor): Node {
  const { kind } = peek(c);
  const named = kind === "letter" || kind === "command" || isMark(c, "(");
  c.bars++;
  const colons = c.colons;
  c.colons = named;
  const inside = c.parseList(c);
  c.colons = colons;
  c.bars--;
  if (take(c, "|") || (named && take(c, ":"))) {
    const condition = c.parseList(c);
    expect(c, "\\}");
    const conditions = condition.kind === "list" ? condition.items : [condition];
    const head = inside.kind === "relation" && inside.ops[0] === "in" ? inside.sides[0] : inside;
    const named = head.kind === "symbol" ||
      (head.kind === "tuple" && head.items.every((item) => item.kind === "symbol"));
    if (!named || conditions.some((one) => one.kind !== "relation" && one.kind !== "list")) {
      throw new ParseFailure("condition of a set");
    }
    if (inside !== head) conditions.unshift(inside);
    const joined = condition.kind === "list" && condition.joined === "or" && inside === head ? "or" : "and";
    const only: Node = conditions.length === 1 ? conditions[0] : { kind: "list", joined, items: conditions };
    return apply("where", head, only);
  }
  expect(c, "\\}");
  return { kind: "set", items: inside.kind === "list" ? inside.items : [inside] };
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

/** The sum between two commands, such as \\lfloor and \\rfloor. */
export function closed(c: Cursor, op: string, end: string): Node {
  const node = apply(op, c.parseSum(c));
  if (!takeCommand(c, end)) throw new ParseFailure(`${end} expected`);
  return node;
}

/** \\langle a, b \\rangle: a vector. */
export function parseAngle(c: Cursor): Node {
  const inside = c.parseList(c);
  if (!takeCommand(c, "rangle")) throw new ParseFailure("rangle expected");
  return { kind: "tuple", open: "(", close: ")", items: inside.kind === "list" ? inside.items : [inside] };
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

/** The rows of a matrix environment. */
export function parseMatrix(c: Cursor, environment: string): Node {
  if (isSystem(environment)) return parseSystem(c, environment);
  if (!MATRICES.has(environment)) throw new ParseFailure(`environment ${environment}`);
  const end = `end{${environment}}`;
  const rows: Node[][] = [[]];
  while (!takeCommand(c, end)) {
    rows.at(-1)!.push(c.parseSum(c));
    if (take(c, "\\\\")) {
      // Doubled once more, or an empty row.
      while (take(c, "\\\\"));
      if (takeCommand(c, end)) break;
      rows.push([]);
    } else if (!take(c, "&") && !isCommand(c, end)) throw new ParseFailure("matrix");
  }
  if (rows.some((row) => row.length !== rows[0].length || row.length === 0)) {
    throw new ParseFailure("ragged matrix");
  }
  return { kind: "matrix", rows };
}
