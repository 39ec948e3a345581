/** What an answer claims, apart from how it is written down: chains of equations, names, approximations. */
import { matrixValue } from "./algebra/matrix_value.ts";
import { exactValue, sameScalar } from "./algebra/same_scalar.ts";
import { freeSymbols } from "./algebra/sample_points.ts";
import type { Steps } from "./budget.ts";
import { type Node, some } from "./node.ts";

/**
 * True if the node only names something: `x`, `f(x)`, `AB`, `|AB|`, `\angle ABC`, `(p, q)`, `\frac{NO}{BO}`, `A:B`,
 * `\text{Area}`. A value that is set equal to a name counts as the value.
 */
function isName(node: Node): boolean {
  switch (node.kind) {
    case "symbol":
      return !node.constant;
    case "text":
      return true;
    case "tuple":
    case "ratio":
      return node.items.every(isName);
    case "apply":
      return isNameOf(node.op, node.args, node.call === true);
    default:
      return false;
  }
}

function isNameOf(op: string, args: Node[], call: boolean): boolean {
  if (op === "call:P" || op === "call:Pr") return true;
  if (op.startsWith("call:")) return args.every((a) => isName(a) || a.kind === "number" || isShift(a));
  if (call) return isCall(args);
  if (op === "multiply") return args.length > 1 && (args.every(isPoint) || isMeasure(args));
  if (op === "abs") return isLength(args[0]);
  if (op === "divide") return args.every(isName) || args.every(isDifferential);
  if (op === "min" || op === "max") return args.every(isName);
  return false;
}

/** N(n), V(2): a letter that seldom is a number, before one letter or number. x(y) is a product. */
function isCall([callee, arg]: Node[]): boolean {
  if (callee.kind !== "symbol" || !/^(?:[A-Zpqrsuvw]|[A-Z]?[a-z]{2,})(?:'|_|$)/.test(callee.name)) {
    return false;
  }
  return arg.kind === "number" || (arg.kind === "symbol" && arg.name !== callee.name);
}

/** `m\angle ABC`. */
function isMeasure([first, second]: Node[]): boolean {
  return first.kind === "symbol" && first.name === "m" && second.kind === "symbol" &&
    second.name.startsWith("angle ");
}

/** dy, as in dy/dx. */
function isDifferential(node: Node): boolean {
  return node.kind === "apply" && node.op === "multiply" && node.args.length === 2 &&
    node.args.every((a) => a.kind === "symbol") && (node.args[0] as { name: string }).name === "d";
}

/** What stands in |AB| or |\vec{a}|. */
function isLength(node: Node): boolean {
  if (node.kind === "symbol") return /^(?:vec|overrightarrow|overline)\{/.test(node.name);
  return node.kind === "apply" && node.op === "multiply" && node.args.every(isPoint);
}

/** A capital letter that names a point, as in the length AB. */
function isPoint(node: Node): boolean {
  return node.kind === "symbol" && /^[A-Z](?:'|_|$)/.test(node.name);
}

/** The argument of f(x + 1) or a_{n+1}. */
function isShift(node: Node): boolean {
  return node.kind === "apply" && (node.op === "add" || node.op === "negate") &&
    node.args.every((a) => a.kind === "number" || a.kind === "symbol" || isShift(a));
}

/** A relation between a name and a value, if the node is one. */
export function assignment(node: Node): { name: Node; value: Node } | null {
  if (node.kind !== "relation" || node.ops.length !== 1) return null;
  if (node.ops[0] !== "=" && node.ops[0] !== "in") return null;
  return isName(node.sides[0]) ? { name: node.sides[0], value: node.sides[1] } : null;
}

/** Simplifies chains: of `x = A = B \approx C` only `x = B` is left; a name is put first. */
export function understand(node: Node, steps: Steps): Node {
  if (node.kind === "relation") return chain(node, steps);
  if (node.kind === "list") {
    return distribute({
      ...node,
      items: node.items.map((item) => understand(item, steps)),
    });
  }
  return matrixValue(node) ?? node;
}

function chain(node: Node & { kind: "relation" }, steps: Steps): Node {
  let { ops, sides } = node;
  const about = ops.indexOf("~");
  if (about >= 0) {
    if (about === 0 && isName(sides[0])) return chainOf(["="], [sides[0], sides[1]], steps);
    ops = ops.slice(0, about);
    sides = sides.slice(0, about + 1);
  }
  return chainOf(ops, sides, steps);
}

function chainOf(ops: (Node & { kind: "relation" })["ops"], sides: Node[], steps: Steps): Node {
  if (ops.length === 0) return understand(sides[0], steps);
  if (!ops.every((op) => op === "=")) {
    // x = A < B or the like: kept whole.
    return { kind: "relation", ops, sides: sides.map((s) => matrixValue(s) ?? s) };
  }
  const first = sides[0];
  const last = understand(sides[sides.length - 1], steps);
  if (isName(first)) return { kind: "relation", ops: ["="], sides: [first, last] };
  if (ops.length === 1 && isName(last)) return { kind: "relation", ops: ["="], sides: [last, first] };
  if (isValue(last) && (ops.length > 1 || isSameValue(first, last, steps))) return last;
  return { kind: "relation", ops, sides };
}

/** A number, without symbols. */
function isValue(node: Node): boolean {
  return !some(node, (n) => n.kind === "text" || n.kind === "relation") && freeSymbols(node).length === 0;
}

/** `5 + 3 = 8` says 8, if it is true. */
function isSameValue(a: Node, b: Node, steps: Steps): boolean {
  if (!isValue(a) || exactValue(a, steps) === null) return false;
  return sameScalar(a, b, steps).equal;
}

/** `x = 1, 2, 3`: the name in front belongs to all. */
function distribute(node: Node & { kind: "list" }): Node {
  const first = assignment(node.items[0]);
  if (!first || node.items.length < 2 || node.items.slice(1).some((item) => item.kind === "relation")) {
    return node;
  }
  const { name } = first;
  if (name.kind === "tuple" && first.value.kind !== "tuple") return node;
  return {
    ...node,
    items: [first.value, ...node.items.slice(1)].map((side) => ({
      kind: "relation",
      ops: ["="],
      sides: [name, side],
    })),
  };
}
