/** What an answer claims, apart from how it is written down: chains of equations, names, approximations. */
import { bindParameters } from "./parameters.ts";
import { matrixValue } from "./algebra/matrix_value.ts";
import { exactValue, sameScalar } from "./algebra/same_scalar.ts";
import type { Steps } from "./budget.ts";
import type { Context } from "./compare/context.ts";
import { contradicts, isValue } from "./contradicts.ts";
import { isName } from "./is_name.ts";
import { apply, format, type Node } from "./node.ts";
import { substitute } from "./algebra/substitute.ts";

type Relation = Node & { kind: "relation" };

/** A relation between a name and a value, if the node is one. */
export function assignment(node: Node): { name: Node; value: Node } | null {
  if (node.kind !== "relation" || node.ops.length !== 1) return null;
  if (node.ops[0] !== "=" && node.ops[0] !== "in") return null;
  return isName(node.sides[0]) ? { name: node.sides[0], value: node.sides[1] } : null;
}

/** Simplifies what is said: equations side by side are a list; of `x = A = B \approx C` only `x = B` is left; a name is put first. */
export function understand(node: Node, c: Context): Node {
  if (node.kind === "relation") return sideBySide(node, c) ?? members(node, c) ?? chain(node, c);
  if (node.kind === "list") {
    const bound = bindParameters(tuplesNamed(node));
    if (bound.kind !== "list") return understand(bound, c);
    return distribute({ ...bound, items: bound.items.map((item) => understand(item, c)) });
  }
  if (node.kind === "apply" && node.op === "choice") {
    return { ...node, args: [node.args[0], understand(node.args[1], c)] };
  }
  if (node.kind === "set") return { ...node, items: node.items.map((item) => understand(item, c)) };
  return matrixValue(node) ?? wordsWithLetter(node) ?? node;
}

/** `\text{any real } x`: the letter belongs to the words. */
function wordsWithLetter(node: Node): Node | null {
  if (node.kind !== "apply" || node.op !== "multiply" || node.args.length !== 2) return null;
  const [words, letter] = node.args;
  if (words.kind !== "text" || letter.kind !== "symbol" || !words.text.includes(" ")) return null;
  return { kind: "text", text: `${words.text} ${letter.name}` };
}

/**
 * `u = 2 v = 9`, with the name apart from the value before it: two equations, without a comma between them. So is
 * `u = 2t v = 9`, by how its letters are spaced; `A = l w = 12` is a formula.
 */
function sideBySide({ ops, sides }: Relation, c: Context): Node | null {
  for (let k = 1; k < ops.length; k++) {
    if (ops[k - 1] !== "=" || ops[k] !== "=") continue;
    const split = splitApart(sides[k]);
    if (!split || !isName(split.name) || !(split.surely || isValue(split.value))) continue;
    const first: Node = {
      kind: "relation",
      ops: ops.slice(0, k),
      sides: [...sides.slice(0, k), split.value],
    };
    const rest: Node = { kind: "relation", ops: ops.slice(k), sides: [split.name, ...sides.slice(k + 1)] };
    const last = understand(rest, c);
    return {
      kind: "list",
      items: [understand(first, c), ...(last.kind === "list" ? last.items : [last])],
    };
  }
  return null;
}

/** The last factors of an expression that stand apart, and what stands before them. */
function splitApart(node: Node): { value: Node; name: Node; surely: boolean } | null {
  if (node.kind !== "apply") return null;
  if (node.op === "multiply" && node.apart) {
    const { from, line, close } = node.apart;
    const product = (args: Node[]) => args.length === 1 ? args[0] : apply("multiply", ...args);
    return {
      value: product(node.args.slice(0, from)),
      name: product(node.args.slice(from)),
      surely: line || close,
    };
  }
  if (!["add", "negate", "plusminus", "minusplus", "pm", "mp"].includes(node.op)) return null;
  const split = splitApart(node.args.at(-1)!);
  return split && { ...split, value: { ...node, args: [...node.args.slice(0, -1), split.value] } };
}

/**
 * Simplifies a chain: of `x = A = B \approx C` only `x = B` is left, with the name put first. An answer that contradicts
 * itself stays as it is.
 */
function chain(node: Relation, c: Context): Node {
  let { ops, sides } = node;
  const about = ops.indexOf("~");
  if (about >= 0) {
    if (about === 0 && isName(sides[0])) return chainOf(["="], [sides[0], sides[1]], c);
    ops = ops.slice(0, about);
    sides = sides.slice(0, about + 1);
  }
  return isFalse(ops, sides, c) ? { kind: "relation", ops, sides } : chainOf(ops, sides, c);
}

/** True if the chain says that two values are equal which are not. A gold answer is taken at its word. */
function isFalse(ops: Relation["ops"], sides: Node[], c: Context): boolean {
  if (c.side === "gold" || ops.length < 2 || !ops.every((op) => op === "=")) return false;
  const value = sides.findLast(isValue);
  if (value === undefined) return false;
  const name = sides[0].kind === "symbol" && !sides[0].constant ? sides[0].name : null;
  return sides.some((side) => {
    // x = 2x - 3 = 3 is true of x = 3.
    const said = name === null || side === sides[0] ? side : substitute(side, name, value);
    return side !== value && isValue(said) && contradicts(said, value, c);
  });
}

/** The end of a false chain `x = 3 + 3 = 2` that shows its work under the name that is asked for: a slip, and no second answer. */
export function endOfWork(node: Node, name: Node): Node | null {
  if (node.kind !== "relation" || node.ops.length < 2 || !node.ops.every((op) => op === "=")) return null;
  const middle = node.sides.slice(1, -1);
  const shows = middle.some((side) =>
    side.kind === "apply" && side.op !== "negate" && side.op !== "divide" && isValue(side)
  );
  return shows && format(node.sides[0]) === format(name) ? node.sides.at(-1)! : null;
}

/** `t \in \{2, 9\}` says `t = 2` or `t = 9`. */
function members({ ops, sides }: Relation, c: Context): Node | null {
  const [name, set] = sides;
  if (ops.length !== 1 || ops[0] !== "in" || set.kind !== "set" || set.items.length === 0 || !isName(name)) {
    return null;
  }
  const items = set.items.map((item) => understand({ kind: "relation", ops: ["="], sides: [name, item] }, c));
  return items.length === 1 ? items[0] : { kind: "set", items };
}

function chainOf(ops: Relation["ops"], sides: Node[], c: Context): Node {
  if (ops.length === 0) return understand(sides[0], c);
  if (!ops.every((op) => op === "=")) {
    // x = A < B or the like: kept whole.
    return { kind: "relation", ops, sides: sides.map((s) => matrixValue(s) ?? s) };
  }
  const first = sides[0];
  const last = understand(sides[sides.length - 1], c);
  if (isName(first)) return named(first, last);
  if (ops.length === 1 && isName(last)) return { kind: "relation", ops: ["="], sides: [last, first] };
  if (!isValue(last)) return { kind: "relation", ops, sides };
  if (ops.length === 1) return isSameValue(first, last, c.steps) ? last : { kind: "relation", ops, sides };
  // m + n = 12 + 5 = 17 says 17 where no name is asked for; of 2x = 4 + 6 = 10 that is not so.
  const says = isValue(first) || (!c.named && isCombination(first));
  return says ? last : { kind: "relation", ops: ["="], sides: [first, last] };
}

/** Different names added or multiplied: what a question may ask for. */
function isCombination(node: Node): boolean {
  if (node.kind !== "apply" || (node.op !== "add" && node.op !== "multiply")) return false;
  const names = node.args.map(format);
  return node.args.every((arg) => isName(arg)) && new Set(names).size === names.length;
}

/** A name and its value; `(u, v) = (3, 1)` is `u = 3` and `v = 1`. */
function named(name: Node, value: Node): Node {
  const says = (a: Node, b: Node): Node => ({ kind: "relation", ops: ["="], sides: [a, b] });
  const parts = name.kind === "tuple" && value.kind === "tuple" && name.items.length === value.items.length &&
    value.open + value.close === "()";
  if (!parts) return says(name, value);
  return { kind: "list", joined: "and", items: name.items.map((one, k) => says(one, value.items[k])) };
}

/** `5 + 3 = 8` says 8, if it is true. */
function isSameValue(a: Node, b: Node, steps: Steps): boolean {
  if (!isValue(a) || exactValue(a, steps) === null) return false;
  return sameScalar(a, b, steps).equal;
}

/** `(x, y) = (5, 8), (8, 5)`: the names belong to every tuple. */
function tuplesNamed(node: Node & { kind: "list" }): Node & { kind: "list" } {
  const first = assignment(node.items[0]);
  const tuples = first?.name.kind === "tuple" && first.value.kind === "tuple" &&
    node.items.slice(1).every((item) => item.kind === "tuple");
  if (!tuples) return node;
  const says = (value: Node): Node => ({ kind: "relation", ops: ["="], sides: [first.name, value] });
  return { ...node, items: [node.items[0], ...node.items.slice(1).map(says)] };
}

/** `x = 1, 2, 3`: the name in front belongs to all. */
function distribute(node: Node & { kind: "list" }): Node {
  const first = assignment(node.items[0]);
  if (!first || node.items.length < 2 || node.items.slice(1).some((item) => item.kind === "relation")) {
    return node;
  }
  const { name } = first;
  return {
    ...node,
    items: [first.value, ...node.items.slice(1)].map((side) => ({
      kind: "relation",
      ops: ["="],
      sides: [name, side],
    })),
  };
}
