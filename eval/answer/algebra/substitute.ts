import { mapChildren, type Node, some } from "../node.ts";

/** True if a subscript in the expression speaks of the variable: such a sum cannot be written out. */
export function mentionsInSubscript(node: Node, name: string): boolean {
  return some(
    node,
    (n) =>
      n.kind === "symbol" && n.name !== name && n.name.slice(n.name.indexOf("_") + 1).includes(name) &&
      n.name.includes("_"),
  );
}

/** The expression with every `name` replaced, in subscripts not. */
export function substitute(node: Node, name: string, by: Node): Node {
  if (node.kind === "symbol") return node.name === name ? by : node;
  return mapChildren(node, (part) => substitute(part, name, by));
}
