/** Sets of real numbers, however they are given. */
import type { Finding } from "../algebra/same_scalar.ts";
import { substitute } from "../algebra/substitute.ts";
import { type Steps, Undecidable } from "../budget.ts";
import { format, type Node, symbol } from "../node.ts";
import { assignment } from "../understand.ts";
import { compareScalars } from "./compare_scalars.ts";
import { type Context, no } from "./context.ts";
import { isReals, type RealSet, realSet, solutions } from "./real_set.ts";

/** True for unions, intersections, differences, and the set of all reals. */
export const isSetLike = (n: Node): boolean =>
  (n.kind === "apply" && ["union", "intersect", "setminus", "where"].includes(n.op)) ||
  (n.kind === "symbol" && isReals(n));

/** Sets of reals, given as intervals and unions, as `x \in S`, or by inequalities. */
export function compareSets(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [asSet(gold, c.steps), asSet(answer, c.steps)];
  if (!a || !b) {
    if (format(gold) === format(answer)) return { equal: true, rule: "same expression" };
    const [x, y] = [conditionOf(gold), conditionOf(answer)];
    return x && y ? c.compare(x, y, c) : no("a set and no set");
  }
  if (b.relation && !a.relation && !isBuilder(gold) && !c.allowSetRelation) {
    return no("a relation for an interval");
  }
  if (a.name && b.name && format(a.name) !== format(b.name) && c.strict) return no("sets of different names");
  return { equal: sameSet(a.set, b.set, c), rule: "set of numbers" };
}

const isBuilder = (n: Node): boolean => n.kind === "apply" && n.op === "where";

/** The condition of `\{x : ...\}`, with a name for x that is the same on both sides. */
function conditionOf(n: Node): Node | null {
  if (n.kind !== "apply" || n.op !== "where") return null;
  const [head, condition] = n.args;
  const names = head.kind === "tuple" ? head.items : [head];
  return names.reduce(
    (all, name, k) => substitute(all, (name as { name: string }).name, symbol(`member ${k + 1}`)),
    condition,
  );
}

function asSet(n: Node, steps: Steps): { set: RealSet; name: Node | null; relation: boolean } | null {
  const set = realSet(n, steps);
  if (set) return { set, name: null, relation: false };
  const named = assignment(n);
  const inside = named && realSet(named.value, steps);
  if (inside) return { set: inside, name: named.name, relation: false };
  try {
    const found = solutions(n, steps);
    // x = 2 or x = 9 names its members, as {2, 9} does.
    return found && { ...found, relation: found.set.some(({ from, to }) => from !== to) };
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
