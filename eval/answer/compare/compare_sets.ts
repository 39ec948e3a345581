/** Sets of real numbers, however they are given. */
import type { Finding } from "../algebra/same_scalar.ts";
import { type Steps, Undecidable } from "../budget.ts";
import { format, type Node } from "../node.ts";
import { assignment } from "../understand.ts";
import { compareScalars } from "./compare_scalars.ts";
import { type Context, no } from "./context.ts";
import { type RealSet, realSet, solutions } from "./real_set.ts";

/** True for unions, intersections, differences, and the set of all reals. */
export const isSetLike = (n: Node): boolean =>
  (n.kind === "apply" && ["union", "intersect", "setminus"].includes(n.op)) ||
  (n.kind === "symbol" && realSet(n) !== null);

/** Sets of reals, given as intervals and unions, as `x \in S`, or by inequalities. */
export function compareSets(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [asSet(gold, c.steps), asSet(answer, c.steps)];
  if (!a || !b) {
    if (format(gold) === format(answer)) return { equal: true, rule: "same expression" };
    return no("a set and no set");
  }
  if (b.relation && !a.relation && !c.allowSetRelation) return no("a relation for an interval");
  if (a.name && b.name && format(a.name) !== format(b.name) && c.strict) return no("sets of different names");
  return { equal: sameSet(a.set, b.set, c), rule: "set of numbers" };
}

function asSet(n: Node, steps: Steps): { set: RealSet; name: Node | null; relation: boolean } | null {
  const set = realSet(n);
  if (set) return { set, name: null, relation: false };
  const named = assignment(n);
  const inside = named && realSet(named.value);
  if (inside) return { set: inside, name: named.name, relation: false };
  try {
    const found = solutions(n, steps);
    return found && { ...found, relation: true };
  } catch (error) {
    if (error instanceof Undecidable) return null;
    throw error;
  }
}

function sameSet(a: RealSet, b: RealSet, c: Context): boolean {
  const end = (x: Node, y: Node) => compareScalars(x, y, c).equal;
  return a.length === b.length && a.every((x, k) => {
    const y = b[k];
    return x.lowClosed === y.lowClosed && x.highClosed === y.highClosed && end(x.low, y.low) &&
      end(x.high, y.high);
  });
}
