import { mapChildren, type Node, number } from "../node.ts";
import { rational } from "../rational.ts";

/** Writes degrees inside an angle as multiples of pi. */
export function inRadians(node: Node): Node {
  if (node.kind === "unit" && node.unit === "deg") {
    return {
      kind: "apply",
      op: "multiply",
      args: [node.value, number(rational(1n, 180n)), { kind: "symbol", name: "pi", constant: true }],
    };
  }
  return mapChildren(node, inRadians);
}
