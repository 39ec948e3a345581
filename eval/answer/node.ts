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

/** An answer, or a part of one. */
export type Node =
  | { kind: "number"; value: Rational }
  /** a letter, Greek letter, subscripted or decorated name; also the constants `pi`, `e`, `i`, `infinity` by `constant` */
  | { kind: "symbol"; name: string; constant?: boolean }
  /** `op` applied to scalars: add, multiply, divide, negate, power, root, sin, ...; or union, intersect, setminus */
  | { kind: "apply"; op: string; args: Node[]; call?: boolean }
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

export const apply = (op: string, ...args: Node[]): Node => ({ kind: "apply", op, args });
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
      return `${format(node.value)} ${node.unit}`;
    case "percent":
      return `${format(node.value)}%`;
    case "based":
      return `${node.digits}_${node.base}`;
    case "text":
      return `"${node.text}"`;
  }
}

const INFIX = new Map<string, string>(Object.entries({
  add: " + ",
  multiply: "*",
  divide: "/",
  power: "^",
  union: " u ",
  intersect: " n ",
}));

function formatApply(op: string, args: Node[]): string {
  const part = (
    n: Node,
  ) => (n.kind === "apply" || (n.kind === "number" && (n.value.num < 0n || n.value.den > 1n))
    ? `(${format(n)})`
    : format(n));
  if (op === "negate") return `-${part(args[0])}`;
  const infix = INFIX.get(op);
  return infix ? args.map(part).join(infix) : `${op}(${args.map(format).join(", ")})`;
}
