import { numericValue } from "./algebra/numeric_value.ts";
import type { Node } from "./node.ts";

/** True if `about` is a decimal that rounds the value, to the nearest or towards zero. */
export function isRounding(exact: Node, about: Node): boolean {
  const [x, y] = [exact, about].map((n) => {
    const value = numericValue(bare(n), { point: new Map(), complex: false, steps: { left: 1000 } });
    return value.im === 0 ? value.re : NaN;
  });
  const unit = lastDigit(bare(about));
  const shorter = Math.abs(x) - Math.abs(y);
  return Math.abs(x - y) <= unit * 0.500001 || (x * y >= 0 && shorter >= 0 && shorter < unit);
}

/** The value alone, without a name and an equals sign, a unit or a percent sign. */
function bare(n: Node): Node {
  if (n.kind === "relation") return bare(n.sides.at(-1)!);
  return n.kind === "unit" || n.kind === "percent" ? bare(n.value) : n;
}

/** One unit of the last digit that is written and not zero; 0 for what is no decimal. */
function lastDigit(n: Node): number {
  const value = n.kind === "apply" && n.op === "negate" ? n.args[0] : n;
  if (value.kind !== "number") return 0;
  const { num, den } = value.value;
  let unit = 1;
  for (let scale = 1n; scale % den !== 0n; scale *= 10n) {
    unit /= 10;
    if (unit < 1e-15) return 0;
  }
  for (let ten = 10n; den === 1n && num !== 0n && num % ten === 0n; ten *= 10n) unit *= 10;
  return unit;
}
