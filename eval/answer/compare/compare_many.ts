/** Several parts: tuples and matrices in order, lists and finite sets in any order. */
import type { Finding } from "../algebra/same_scalar.ts";
import { format, type Node } from "../node.ts";
import { assignment } from "../understand.ts";
import { compareSets } from "./compare_sets.ts";
import { type Context, no } from "./context.ts";
import { hasPair, isMany, members } from "./expand.ts";

/** Compares two answers of which one at least is a tuple or an interval. */
export function compareTuples(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [entries(gold), entries(answer)];
  if (!a || !b) return no("a tuple and no tuple");
  if (a.brackets !== b.brackets) return no("different brackets", `${a.brackets} and ${b.brackets}`);
  return inOrder(a.items, b.items, c, a.brackets === "()" ? "tuple" : "interval");
}

/** Entries of a tuple, or of a column or row as a vector. */
function entries(n: Node): { items: Node[]; brackets: string } | null {
  if (n.kind === "tuple") return { items: n.items, brackets: n.open + n.close };
  if (n.kind === "matrix" && (n.rows.length === 1 || n.rows[0].length === 1)) {
    return { items: n.rows.flat(), brackets: "()" };
  }
  return null;
}

/** Compares parts one by one. */
export function inOrder(a: Node[], b: Node[], c: Context, what: string): Finding {
  if (a.length !== b.length) return no(`different length of the ${what}`, `${a.length} and ${b.length}`);
  for (let k = 0; k < a.length; k++) {
    const found = c.compare(a[k], b[k], c);
    if (!found.equal) {
      return no(`${what}: part ${k + 1} differs`, `${found.rule}${found.detail ? `: ${found.detail}` : ""}`);
    }
  }
  return { equal: true, rule: what };
}

/** Compares two answers of which one at least is a matrix. */
export function compareMatrices(gold: Node, answer: Node, c: Context): Finding {
  if (gold.kind !== "matrix" || answer.kind !== "matrix") return no("a matrix and no matrix");
  if (gold.rows.length !== answer.rows.length || gold.rows[0].length !== answer.rows[0].length) {
    return no("different shape");
  }
  return inOrder(gold.rows.flat(), answer.rows.flat(), c, "matrix");
}

/** Lists and finite sets: any order, no repeats; a list beside a tuple, or names beside bare values, in order. */
export function compareLists(gold: Node, answer: Node, c: Context): Finding {
  const described = compareSets(gold, answer, c);
  if (described.equal) return described;
  if (isPlainTuple(gold) || isPlainTuple(answer)) return besideTuple(gold, answer, c);
  const a = distinct(members(gold), c);
  const b = distinct(members(answer), c);
  if (a.length !== b.length) return no("different number of answers", `${a.length} and ${b.length}`);
  if (a.length === 1) return c.compare(a[0], b[0], c);
  if (namesDiffer(a) !== namesDiffer(b)) return inOrder(a, b, c, "answers in order");
  return anyOrder(a, b, c);
}

const isPlainTuple = (n: Node): boolean => n.kind === "tuple" && !hasPair(n);

function besideTuple(gold: Node, answer: Node, c: Context): Finding {
  const [tuple, other] = gold.kind === "tuple" ? [gold, answer] : [answer as Node & { kind: "tuple" }, gold];
  if (other.kind === "list" && tuple.open === "(" && tuple.close === ")") {
    return gold.kind === "tuple"
      ? inOrder(tuple.items, other.items, c, "tuple")
      : inOrder(other.items, tuple.items, c, "tuple");
  }
  const a = distinct(members(gold), c);
  const b = distinct(members(answer), c);
  return a.length === 1 && b.length === 1 && !isMany(a[0]) && !isMany(b[0])
    ? c.compare(a[0], b[0], c)
    : no("a list and a tuple");
}

function distinct(items: Node[], c: Context): Node[] {
  const exact: Context = { ...c, tolerances: [] };
  return items.filter((item, k) =>
    !items.slice(0, k).some((earlier) => c.compare(earlier, item, exact).equal)
  );
}

/** True for `p = 5, q = 2`: values with names of their own. */
function namesDiffer(items: Node[]): boolean {
  const names = items.map((item) => assignment(item)?.name);
  return names.every((n) => n !== undefined) && new Set(names.map((n) => format(n!))).size > 1;
}

function anyOrder(gold: Node[], answer: Node[], c: Context): Finding {
  const left = [...answer];
  for (let k = 0; k < gold.length; k++) {
    const at = left.findIndex((item) => c.compare(gold[k], item, { ...c, tolerance: k }).equal);
    if (at < 0) return no("no match for one answer", format(gold[k]));
    left.splice(at, 1);
  }
  return { equal: true, rule: "answers in any order" };
}
