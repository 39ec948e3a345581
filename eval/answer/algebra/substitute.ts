import { mapChildren, type Node, some, symbol } from "../node.ts";

/** True if a subscript in the expression speaks of the variable: such a sum cannot be written out. */
export function mentionsInSubscript(node: Node, name: string): boolean {
  return some(
    node,
    (n) =>
      n.kind === "symbol" && n.name !== name && n.name.slice(n.name.indexOf("_") + 1).includes(name) &&
      n.name.includes("_"),
  );
}

/** The expression with the variables of its sums and products named by their depth: their own names mean nothing. */
export function renameBound(node: Node, depth = 0): Node {
  if (node.kind !== "apply" || (node.op !== "sum" && node.op !== "prod")) {
    return mapChildren(node, (part) => renameBound(part, depth));
  }
  const [variable, low, high, body] = node.args;
  const { name } = variable as { name: string };
  if (mentionsInSubscript(body, name)) return node;
  const bound = symbol(`bound ${depth}`);
  return {
    ...node,
    args: [
      bound,
      renameBound(low, depth),
      renameBound(high, depth),
      renameBound(substitute(body, name, bound), depth + 1),
    ],
  };
}

/** The expression with every `name` replaced, in subscripts not. */
export function substitute(node: Node, name: string, by: Node): Node {
  if (node.kind === "symbol") return node.name === name ? by : node;
  return mapChildren(node, (part) => substitute(part, name, by));
}
