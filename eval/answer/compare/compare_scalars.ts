/** Single values: signs left open, tolerances, infinities, names of variables; the rest is exact (same_scalar.ts). */
import { type Finding, sameScalar } from "../algebra/same_scalar.ts";
import { freeSymbols } from "../algebra/sample_points.ts";
import { substitute } from "../algebra/substitute.ts";
import { format, type Node, symbol } from "../node.ts";
import type { Context } from "./context.ts";
import { hasSigns } from "./expand.ts";
import { withinTolerance } from "./tolerance.ts";

/** Compares two scalars. */
export function compareScalars(gold: Node, answer: Node, c: Context): Finding {
  if (hasSigns(gold) || hasSigns(answer)) {
    return { equal: format(gold) === format(answer), rule: "plus-minus signs as written" };
  }
  if (c.tolerances.length > 0) {
    const found = withinTolerance(
      gold,
      answer,
      c.tolerances[Math.min(c.tolerance, c.tolerances.length - 1)],
      c.steps,
    );
    if (found) return found;
  }
  const infinite = infinity(gold) ?? infinity(answer);
  if (infinite !== null) return { equal: infinity(gold) === infinity(answer), rule: "infinity" };
  const found = sameScalar(gold, answer, c.steps);
  return found.equal || c.strict ? found : renamed(gold, answer, c) ?? found;
}

function infinity(n: Node): number | null {
  if (n.kind === "symbol" && n.constant && n.name === "infinity") return 1;
  if (n.kind !== "apply" || n.op !== "negate") return null;
  const inner = infinity(n.args[0]);
  return inner === null ? null : -inner;
}

/** Without `strict`, variables may have other names, taken in alphabetical order. */
function renamed(gold: Node, answer: Node, c: Context): Finding | null {
  const [a, b] = [freeSymbols(gold), freeSymbols(answer)];
  if (a.length === 0 || a.length !== b.length) return null;
  const common = (n: Node, names: string[]) =>
    names.reduce((m, name, k) => substitute(m, name, symbol(`variable ${k}`)), n);
  const found = sameScalar(common(gold, a), common(answer, b), c.steps);
  return found.equal ? { ...found, rule: `${found.rule}, variables renamed` } : null;
}
