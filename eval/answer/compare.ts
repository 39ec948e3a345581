/** Are two answers the same? Structures are taken apart here until scalars, texts and relations are left. */
import { type Steps, Undecidable } from "./budget.ts";
import { hasSigns, members } from "./expand.ts";
import { apply, format, type Node, number, symbol } from "./node.ts";
import { exactValue, type Finding, sameScalar } from "./scalar.ts";
import { assignment, isName } from "./understand.ts";
import { withinTolerance } from "./tolerance.ts";
import { divideRationals, type Rational, rational } from "./rational.ts";
import { type RealSet, realSet, solutions } from "./real_set.ts";
import { sameRelation } from "./relation.ts";
import { freeSymbols } from "./points.ts";
import { substitute } from "./normal_form.ts";

/** What a comparison goes by. */
export interface Context {
  steps: Steps;
  /** `50%` may also stand for bare 50 */
  percent: boolean;
  /** `204_5` may also stand for bare 204 */
  bases: boolean;
  /** names of variables count */
  strict: boolean;
  /** a predicted relation may stand for a gold interval */
  allowSetRelation: boolean;
  /** absolute tolerances, one for each gold value in turn; none means exact */
  tolerances: Rational[];
  /** which of them holds now */
  tolerance: number;
}

const no = (rule: string, detail?: string): Finding => ({ equal: false, rule, detail });

/** Compares a gold answer with another one. Both have been through `understand`. */
export function compare(gold: Node, answer: Node, c: Context): Finding {
  if (gold.kind === "text" || answer.kind === "text") return texts(gold, answer, c);
  if (isUnited(gold) || isUnited(answer)) return units(gold, answer, c);
  if (isMany(gold) || isMany(answer)) return lists(gold, answer, c);
  if (gold.kind === "percent" || answer.kind === "percent") return percents(gold, answer, c);
  if (isSetLike(gold) || isSetLike(answer)) return sets(gold, answer, c);
  if (gold.kind === "relation" || answer.kind === "relation") return relations(gold, answer, c);
  if (gold.kind === "tuple" || answer.kind === "tuple") return tuples(gold, answer, c);
  if (gold.kind === "matrix" || answer.kind === "matrix") return matrices(gold, answer, c);
  if (gold.kind === "ratio" || answer.kind === "ratio") return ratios(gold, answer, c);
  if (isBased(gold) || isBased(answer)) return bases(gold, answer, c);
  return scalars(gold, answer, c);
}

const isUnited = (n: Node): boolean => n.kind === "unit";
const isMany = (n: Node): boolean => n.kind === "list" || n.kind === "set" || hasPair(n);
const hasPair = (n: Node): boolean => n.kind !== "relation" && hasSigns(n) && members(n).length === 2;

function scalars(gold: Node, answer: Node, c: Context): Finding {
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

function texts(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [wordsOf(gold), wordsOf(answer)];
  if (a !== null && b !== null) return { equal: a === b, rule: "same words" };
  // A short run of letters beside an expression is a product after all.
  const spelled = gold.kind === "text"
    ? product(gold.text)
    : answer.kind === "text"
    ? product(answer.text)
    : null;
  if (!spelled || isMany(gold) || isMany(answer)) return no("a text and no text");
  return gold.kind === "text" ? compare(spelled, answer, c) : compare(gold, spelled, c);
}

function wordsOf(n: Node): string | null {
  if (n.kind === "symbol") return key(n.name);
  return n.kind === "text" ? key(n.text) : null;
}

/** A text without spacing, brackets and full stops; words of two letters and more in small letters. */
function key(text: string): string {
  const bare = text.replace(/[\s$~{}()\\"]|[.,](?!\d)/g, "");
  return bare.length > 1 ? bare.toLowerCase() : bare;
}

function product(text: string): Node | null {
  if (!/^[A-Za-z]{2,4}$/.test(text)) return null;
  return apply("multiply", ...[...text].map((letter) => symbol(letter)));
}

function units(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [peel(gold), peel(answer)];
  if (a.unit && b.unit && a.unit !== b.unit) return no("units disagree", `${a.unit} and ${b.unit}`);
  if (a.value.kind === "percent" !== (b.value.kind === "percent")) return no("a percentage and a unit");
  const found = compare(a.value, b.value, c);
  return found.equal
    ? { ...found, rule: `${found.rule}, ${a.unit && b.unit ? "same unit" : "unit on one side"}` }
    : found;
}

function peel(n: Node): { value: Node; unit: string | null } {
  return n.kind === "unit" ? n : { value: n, unit: null };
}

function percents(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [gold, answer].map((n) => n.kind === "percent" ? n.value : n);
  if (gold.kind === "percent" && answer.kind === "percent") return compare(a, b, c);
  const hundredth = (n: Node) => n.kind === "percent" ? apply("divide", n.value, number(rational(100n))) : n;
  const found = compare(hundredth(gold), hundredth(answer), c);
  if (found.equal || !c.percent) return found;
  const sign = exactValue(gold.kind === "percent" ? a : b, c.steps);
  if (!sign || sign.num * sign.num < sign.den * sign.den) return found;
  const bare = compare(a, b, c);
  return bare.equal ? { ...bare, rule: "percent sign left out" } : found;
}

function isBased(n: Node): boolean {
  return n.kind === "based" || (n.kind === "apply" && n.op === "negate" && n.args[0].kind === "based");
}

function based(n: Node): { digits: string; base: number } | null {
  if (n.kind === "based") return { digits: n.digits.replace(/^0+(?=\w)/, ""), base: n.base };
  if (n.kind !== "apply" || n.op !== "negate") return null;
  const inner = based(n.args[0]);
  return inner && { ...inner, digits: `-${inner.digits}` };
}

function bases(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [based(gold), based(answer)];
  if (a && b) return { equal: a.base === b.base && a.digits === b.digits, rule: "digits in a base" };
  if (!c.bases) return no("a base on one side only");
  const written = exactValue(a ? answer : gold, c.steps);
  const digits = (a ?? b)!.digits;
  return {
    equal: written !== null && written.den === 1n && `${written.num}` === digits,
    rule: "base left out",
  };
}

function tuples(gold: Node, answer: Node, c: Context): Finding {
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

function inOrder(a: Node[], b: Node[], c: Context, what: string): Finding {
  if (a.length !== b.length) return no(`different length of the ${what}`, `${a.length} and ${b.length}`);
  for (let k = 0; k < a.length; k++) {
    const found = compare(a[k], b[k], c);
    if (!found.equal) {
      return no(`${what}: part ${k + 1} differs`, `${found.rule}${found.detail ? `: ${found.detail}` : ""}`);
    }
  }
  return { equal: true, rule: what };
}

function matrices(gold: Node, answer: Node, c: Context): Finding {
  if (gold.kind !== "matrix" || answer.kind !== "matrix") return no("a matrix and no matrix");
  if (gold.rows.length !== answer.rows.length || gold.rows[0].length !== answer.rows[0].length) {
    return no("different shape");
  }
  return inOrder(gold.rows.flat(), answer.rows.flat(), c, "matrix");
}

function ratios(gold: Node, answer: Node, c: Context): Finding {
  if (gold.kind === "ratio" && answer.kind === "ratio") {
    const exact = inOrder(gold.items, answer.items, c, "ratio");
    if (exact.equal || gold.timeLike || answer.timeLike || gold.items.length !== answer.items.length) {
      return exact;
    }
    return proportional(gold.items, answer.items, c) ? { equal: true, rule: "same ratio" } : exact;
  }
  const [ratio, other] = gold.kind === "ratio" ? [gold, answer] : [answer as Node & { kind: "ratio" }, gold];
  if (ratio.timeLike || ratio.items.length !== 2) return no("a ratio and no ratio");
  const found = scalars(apply("divide", ...ratio.items), other, c);
  return found.equal ? { ...found, rule: "ratio as a quotient" } : found;
}

function proportional(a: Node[], b: Node[], c: Context): boolean {
  const x = a.map((n) => exactValue(n, c.steps));
  const y = b.map((n) => exactValue(n, c.steps));
  if (![...x, ...y].every((v) => v !== null && v.num !== 0n)) return false;
  const factor = divideRationals(x[0]!, y[0]!);
  return x.every((v, k) => v!.num * y[k]!.den * factor.den === y[k]!.num * v!.den * factor.num);
}

/** Lists and finite sets: any order, no repeats; a list beside a tuple, or names beside bare values, in order. */
function lists(gold: Node, answer: Node, c: Context): Finding {
  const described = sets(gold, answer, c);
  if (described.equal) return described;
  if (isPlainTuple(gold) || isPlainTuple(answer)) return besideTuple(gold, answer, c);
  const a = distinct(members(gold), c);
  const b = distinct(members(answer), c);
  if (a.length !== b.length) return no("different number of answers", `${a.length} and ${b.length}`);
  if (a.length === 1) return compare(a[0], b[0], c);
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
    ? compare(a[0], b[0], c)
    : no("a list and a tuple");
}

function distinct(items: Node[], c: Context): Node[] {
  const exact: Context = { ...c, tolerances: [] };
  return items.filter((item, k) => !items.slice(0, k).some((earlier) => compare(earlier, item, exact).equal));
}

/** True for `p = 5, q = 2`: values with names of their own. */
function namesDiffer(items: Node[]): boolean {
  const names = items.map((item) => assignment(item)?.name);
  return names.every((n) => n !== undefined) && new Set(names.map((n) => format(n!))).size > 1;
}

function anyOrder(gold: Node[], answer: Node[], c: Context): Finding {
  const left = [...answer];
  for (let k = 0; k < gold.length; k++) {
    const at = left.findIndex((item) => compare(gold[k], item, { ...c, tolerance: k }).equal);
    if (at < 0) return no("no match for one answer", format(gold[k]));
    left.splice(at, 1);
  }
  return { equal: true, rule: "answers in any order" };
}

const isSetLike = (n: Node): boolean =>
  (n.kind === "apply" && ["union", "intersect", "setminus"].includes(n.op)) ||
  (n.kind === "symbol" && realSet(n) !== null);

/** Sets of reals, given as intervals and unions, as `x \in S`, or by inequalities. */
function sets(gold: Node, answer: Node, c: Context): Finding {
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
  const end = (x: Node, y: Node) => scalars(x, y, c).equal;
  return a.length === b.length && a.every((x, k) => {
    const y = b[k];
    return x.lowClosed === y.lowClosed && x.highClosed === y.highClosed && end(x.low, y.low) &&
      end(x.high, y.high);
  });
}

function relations(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [assignment(gold), assignment(answer)];
  if (gold.kind === "relation" && answer.kind === "relation") {
    if (a && b && (format(a.name) === format(b.name) || !c.strict)) {
      const found = compare(a.value, b.value, c);
      if (found.equal) return found;
    }
    const same = sameRelation(gold, answer, c.steps, (x, y) => compare(x, y, c).equal);
    if (same.equal) return same;
    const described = sets(gold, answer, c);
    return described.equal ? described : same;
  }
  const described = sets(gold, answer, c);
  if (described.equal) return described;
  if (a) {
    return isName(answer) && answer.kind !== "symbol"
      ? no("a name and a value")
      : compare(a.value, answer, c);
  }
  if (b) return compare(gold, b.value, c);
  return described.rule === "a relation for an interval" ? described : no("a relation and no relation");
}
