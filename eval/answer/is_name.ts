/** Names: what is set equal to a value without being one. */
import type { Node } from "./node.ts";

/**
 * True if the node only names something: `x`, `f(x)`, `AB`, `|AB|`, `\angle ABC`, `(p, q)`, `\frac{NO}{BO}`, `A:B`,
 * `\text{Area}`. A value that is set equal to a name counts as the value.
 */
export function isName(node: Node): boolean {
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
