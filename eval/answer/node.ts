/** The tree that an answer is parsed into: one shape for scalars and for structures. */
import { MAX_DEPTH, MAX_NODES, TooLarge } from "./budget.ts";
import { formatRational, type Rational } from "./rational.ts";

/** Relations between two sides. */
export type RelationOp =
  | "="
  | "<"
  | ">"
  | "<="
  | ">="
  | "!="
  | "~"
  | "in"
  | "notin"
  | "subset"
  | "equiv"
  | "to";

/** What a relation is when it is read from right to left; absent where it cannot be. */
export const FLIPPED: Readonly<Partial<Record<RelationOp, RelationOp>>> = {
  "<": ">",
  ">": "<",
  "<=": ">=",
  ">=": "<=",
  "=": "=",
  "!=": "!=",
};

/** An answer, or a part of one. */
export type Node =
  | { kind: "number"; value: Rational }
  /** a letter, Greek letter, subscripted or decorated name; also the constants `pi`, `e`, `i`, `infinity` by `constant`; `any` is a parameter, whose name means nothing */
  | { kind: "symbol"; name: string; constant?: boolean; any?: true }
  /** `op` applied to scalars: add, multiply, divide, negate, power, root, sin, ...; or union, intersect, setminus */
  | Apply
  /** brackets kept: `(1,2)` is a tuple or an open interval, `[1,2)` an interval */
  | { kind: "tuple"; open: "(" | "["; close: ")" | "]"; items: Node[] }
  | { kind: "set"; items: Node[] }
  /** several answers; `;` above `,` gives lists of lists */
  | { kind: "list"; items: Node[]; joined?: "and" | "or" }
  | { kind: "matrix"; rows: Node[][] }
  /** a chain: `ops[k]` stands between `sides[k]` and `sides[k + 1]` */
  | { kind: "relation"; ops: RelationOp[]; sides: Node[] }
  | { kind: "ratio"; items: Node[]; timeLike: boolean }
  /** a value with its unit in canonical spelling (`cm^2`, `$`, `deg`) */
  | { kind: "unit"; value: Node; unit: string }
  | { kind: "percent"; value: Node }
  /** digits in a written base */
  | { kind: "based"; digits: string; base: number }
  | { kind: "text"; text: string };

/** An operation on parts; of a product some things are remembered about how it was written. */
export interface Apply {
  /** what tells it from other nodes */
  kind: "apply";
  /** add, multiply, divide, negate, power, root, sin, ... */
  op: string;
  /** what it is applied to, in the order in which it is written */
  args: Node[];
  /** a name before a bracket, which may be a call: N(3) */
  call?: boolean;
  /** the first of the last factors that stand apart, by a space or by more; `close`: letters before it stand close together */
  apart?: { from: number; line: boolean; close: boolean };
  /** a letter stands close behind another factor, as in 2t */
  close?: boolean;
}

export const apply = (op: string, ...args: Node[]): Apply => ({ kind: "apply", op, args });
export const number = (value: Rational): Node => ({ kind: "number", value });
export const symbol = (name: string): Node & { kind: "symbol" } => ({ kind: "symbol", name });
export const constant = (name: string): Node & { kind: "symbol" } => ({
  kind: "symbol",
  name,
  constant: true,
});

/** Direct parts of a node, left to right. */
export function children(node: Node): Node[] {
  switch (node.kind) {
    case "apply":
      return node.args;
    case "tuple":
    case "set":
    case "list":
    case "ratio":
      return node.items;
    case "matrix":
      return node.rows.flat();
    case "relation":
      return node.sides;
    case "unit":
    case "percent":
      return [node.value];
    default:
      return [];
  }
}

/** The node with `change` applied to each direct part. */
export function mapChildren(node: Node, change: (part: Node) => Node): Node {
  switch (node.kind) {
    case "apply":
      return { ...node, args: node.args.map(change) };
    case "tuple":
    case "set":
    case "list":
    case "ratio":
      return { ...node, items: node.items.map(change) };
    case "matrix":
      return { ...node, rows: node.rows.map((row) => row.map(change)) };
    case "relation":
      return { ...node, sides: node.sides.map(change) };
    case "unit":
    case "percent":
      return { ...node, value: change(node.value) };
    default:
      return node;
  }
}

/** Counts nodes and depth against the budgets; throws {@linkcode TooLarge}. */
export function checkSize(node: Node): void {
  let count = 0;
  const visit = (n: Node, depth: number): void => {
    if (++count > MAX_NODES) throw new TooLarge("nodes");
    if (depth > MAX_DEPTH) throw new TooLarge("depth");
    for (const part of children(n)) visit(part, depth + 1);
  };
  visit(node, 0);
}

/** True if `test` holds for the node or anything in it. */
export function some(node: Node, test: (n: Node) => boolean): boolean {
  return test(node) || children(node).some((part) => some(part, test));
}

/** The node as a line of text: the same text means the same tree. Used in reasons and as the key of opaque parts. */
export function format(node: Node): string {
  switch (node.kind) {
    case "number":
      return formatRational(node.value);
    case "symbol":
      return node.name;
    case "apply":
      return formatApply(node.op, node.args);
    case "tuple":
      return `${node.open}${node.items.map(format).join(", ")}${node.close}`;
    case "set":
      return `{${node.items.map(format).join(", ")}}`;
    case "list":
      return node.items.map((item) => (item.kind === "list" ? `[${format(item)}]` : format(item))).join("; ");
    case "matrix":
      return `[${node.rows.map((row) => row.map(format).join(" ")).join(" | ")}]`;
    case "relation":
      return node.sides.map((side, k) => (k === 0 ? "" : ` ${node.ops[k - 1]} `) + format(side)).join("");
    case "ratio":
      return node.items.map(format).join(":");
    case "unit":
      return `${part(node.value, 1)} ${node.unit}`;
    case "percent":
      return `${part(node.value, 2)}%`;
    case "based":
      return `${node.digits}_${node.base}`;
    case "text":
      return `"${node.text}"`;
  }
}

/** How tightly an expression holds together: sums 1, products 2, powers 3, the rest 4. */
function tightness(node: Node): number {
  if (node.kind === "number") return node.value.num < 0n ? 1 : node.value.den > 1n ? 2 : 4;
  if (node.kind === "percent" || node.kind === "unit") return 2;
  if (node.kind !== "apply") {
    return node.kind === "relation" || node.kind === "list" || node.kind === "ratio" ? 0 : 4;
  }
  return TIGHTNESS.get(node.op) ?? 4;
}

const TIGHTNESS = new Map([
  ...["add", "negate", "plusminus", "minusplus", "pm", "mp", "union", "intersect", "setminus"].map((op) =>
    [op, 1] as const
  ),
  ["multiply", 2],
  ["divide", 2],
  ["power", 3],
  ["factorial", 3],
]);

/** The part, in brackets unless it holds together more tightly than `level`. */
const part = (node: Node, level: number): string =>
  tightness(node) > level ? format(node) : `(${format(node)})`;

function formatApply(op: string, args: Node[]): string {
  const [x, y] = args;
  switch (op) {
    case "add":
      return args.map((a, k) =>
        k > 0 && a.kind === "apply" && a.op === "negate"
          ? ` - ${part(a.args[0], 1)}`
          : (k > 0 ? " + " : "") + part(a, 1)
      ).join("");
    case "negate":
      return `-${part(x, 1)}`;
    case "multiply":
      return args.map((a) => part(a, 2)).join("*");
    case "divide":
      return `${part(x, 2)}/${part(y, 2)}`;
    case "power":
      return `${part(x, 3)}^${part(y, 3)}`;
    case "factorial":
      return `${part(x, 3)}!`;
    case "root":
      return y.kind === "number" && y.value.num === 2n && y.value.den === 1n
        ? `sqrt(${format(x)})`
        : `root(${format(x)}, ${format(y)})`;
    case "choice":
      return `(${x.kind === "text" ? x.text : format(x)}) ${format(y)}`;
    case "where":
      return `{${format(x)} : ${format(y)}}`;
    case "abs":
      return `|${format(x)}|`;
    case "pm":
    case "mp":
      return `${op === "pm" ? "+-" : "-+"}${part(x, 1)}`;
    case "plusminus":
    case "minusplus":
      return `${part(x, 1)} ${op === "plusminus" ? "+-" : "-+"} ${part(y, 1)}`;
    case "union":
    case "intersect":
    case "setminus":
      return `${part(x, 1)} ${op} ${part(y, 1)}`;
    default:
      return `${op.replace(/^call:/, "")}(${args.map(format).join(", ")})`;
  }
}
