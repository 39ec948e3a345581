/** Values that cannot be equal: a chain that says they are is false. */
import { modulus } from "./algebra/complex.ts";
import { numericValue } from "./algebra/numeric_value.ts";
import { freeSymbols } from "./algebra/sample_points.ts";
import type { Context } from "./compare/context.ts";
import { type Node, number, some } from "./node.ts";
import { rational } from "./rational.ts";

/** A value, without symbols. */
export function isValue(node: Node): boolean {
  return !some(node, (n) => n.kind === "text" || n.kind === "relation") && freeSymbols(node).length === 0;
}

/** True if two values are certainly different; what cannot be decided contradicts nothing. */
export function contradicts(a: Node, b: Node, c: Context): boolean {
  if (a.kind === "unit" && b.kind === "unit" && a.unit !== b.unit) return false;
  const [x, y] = [a, b].map((n) => inDecimal(n.kind === "unit" ? n.value : n));
  if (c.compare(x, y, c).equal) return false;
  if (isScalar(x) && isScalar(y)) return distance(x, y, c) > 1e-9 || isExact(x) && isExact(y);
  if (x.kind === "tuple" && y.kind === "tuple" && x.items.length === y.items.length) {
    return x.items.some((item, k) => contradicts(item, y.items[k], c));
  }
  return [x, y].every((n) => isScalar(n) || STRUCTURES.has(n.kind));
}

const STRUCTURES = new Set(["tuple", "set", "list", "matrix"]);

const isScalar = (n: Node): boolean => n.kind === "number" || n.kind === "apply" || n.kind === "percent";
const isExact = (n: Node): boolean =>
  n.kind === "number" || (n.kind === "percent" && n.value.kind === "number");

/** Digits in a base as the number that they are. */
function inDecimal(n: Node): Node {
  if (n.kind !== "based" || !/^[0-9A-Z]+$/.test(n.digits) || n.base < 2 || n.base > 36) return n;
  const digits = [...n.digits].map((d) => parseInt(d, 36));
  if (digits.some((d) => d >= n.base)) return n;
  return number(rational(digits.reduce((sum, d) => sum * BigInt(n.base) + BigInt(d), 0n)));
}

/** The distance of two scalars relative to the larger one; NaN where it cannot be had. */
function distance(a: Node, b: Node, c: Context): number {
  const [x, y] = [a, b].map((n) => numericValue(n, { point: new Map(), complex: true, steps: c.steps }));
  const apart = modulus({ re: x.re - y.re, im: x.im - y.im });
  return apart === 0 ? 0 : apart / Math.max(modulus(x), modulus(y));
}
