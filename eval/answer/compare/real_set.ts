/** Sets of real numbers: intervals, finite sets and what unions, intersections and differences make of them. */
import { newAlgebra } from "../algebra/algebra.ts";
import { addFractions, negateFraction } from "../algebra/fraction.ts";
import { normalForm } from "../algebra/normal_form.ts";
import { numericValue } from "../algebra/numeric_value.ts";
import { constantOf } from "../algebra/polynomial.ts";
import { type Steps, TooLarge } from "../budget.ts";
import { apply, constant, FLIPPED, format, type Node, number, type RelationOp } from "../node.ts";
import { divideRationals, negateRational, rational } from "../rational.ts";

/** An interval; `from` and `to` are doubles, used to put ends in order. */
interface Interval {
  low: Node;
  high: Node;
  lowClosed: boolean;
  highClosed: boolean;
  from: number;
  to: number;
}

/** Intervals in ascending order, apart from each other; a number alone is a closed interval of no length. */
export type RealSet = Interval[];

const INFINITY = constant("infinity");
const NEGATIVE_INFINITY = apply("negate", INFINITY);

/** The double of an end; NaN where it has symbols. */
function endValue(node: Node): number {
  if (node.kind === "symbol" && node.name === "infinity") return Infinity;
  if (node.kind === "apply" && node.op === "negate" && endValue(node.args[0]) === Infinity) return -Infinity;
  const value = numericValue(node, { point: new Map(), complex: false, steps: { left: 200 } });
  return value.im === 0 ? value.re : NaN;
}

function interval(low: Node, lowClosed: boolean, high: Node, highClosed: boolean): Interval {
  return { low, high, lowClosed, highClosed, from: endValue(low), to: endValue(high) };
}

const REALS = (): RealSet => [interval(NEGATIVE_INFINITY, false, INFINITY, false)];

/** True for R in blackboard letters. */
export const isReals = (node: Node): boolean =>
  node.kind === "symbol" && /^math(?:bb|bf|cal)\{R\}$/.test(node.name);

/** The set that a node stands for, or null where it is none (or its ends are not numbers). */
export function realSet(node: Node, steps: Steps): RealSet | null {
  switch (node.kind) {
    case "tuple":
      return node.items.length === 2 ? checked([fromTuple(node)]) : null;
    case "set":
      return checked(node.items.map((item) => interval(item, true, item, true)));
    case "symbol":
      return isReals(node) ? REALS() : null;
    case "apply": {
      if (node.op === "where") return builtSet(node.args[0], node.args[1], steps);
      if (node.op !== "union" && node.op !== "intersect" && node.op !== "setminus") return null;
      const [a, b] = node.args.map((arg) => realSet(arg, steps));
      if (!a || !b) return null;
      if (node.op === "union") return checked([...a, ...b]);
      return intersect(a, node.op === "intersect" ? b : complement(b));
    }
    default:
      return null;
  }
}

/** `\{x : conditions\}`, with integers written out where they are few. */
function builtSet(name: Node, condition: Node, steps: Steps): RealSet | null {
  const all = condition.kind === "list" ? condition.items : [condition];
  const integers = all.some((one) => isMembership(one, name, /^(?:math(?:bb|bf|cal)\{Z\}|Z)$/));
  const others = all.filter((one) => !isMembership(one, name, /^(?:math(?:bb|bf|cal)\{[ZR]\}|[ZR])$/));
  if (others.length === 0) return integers ? null : REALS();
  const rest: Node = others.length === 1
    ? others[0]
    : { kind: "list", joined: condition.kind === "list" ? condition.joined : undefined, items: others };
  const found = solutions(rest, steps);
  if (!found || !sameName(found.name, name)) return null;
  return integers ? integersIn(found.set) : found.set;
}

function isMembership(node: Node, name: Node, set: RegExp): boolean {
  return node.kind === "relation" && node.ops.length === 1 && node.ops[0] === "in" &&
    sameName(node.sides[0], name) &&
    node.sides[1].kind === "symbol" && set.test(node.sides[1].name);
}

function integersIn(set: RealSet): RealSet | null {
  const found: RealSet = [];
  for (const { from, to, lowClosed, highClosed } of set) {
    if (!(to - from <= 100) || Math.abs(from) > 1e9) return null;
    for (let k = Math.ceil(from); k <= to; k++) {
      if ((k === from && !lowClosed) || (k === to && !highClosed)) continue;
      const point = k < 0 ? apply("negate", number(rational(-k))) : number(rational(k));
      found.push(interval(point, true, point, true));
    }
  }
  return checked(found);
}

function fromTuple(node: Node & { kind: "tuple" }): Interval {
  return interval(node.items[0], node.open === "[", node.items[1], node.close === "]");
}

/** Puts intervals in order and joins those that touch; null where an end has no value or an interval is upside down. */
function checked(set: RealSet): RealSet | null {
  if (set.some((x) => Number.isNaN(x.from) || Number.isNaN(x.to) || x.from > x.to)) return null;
  if (set.length > 100) throw new TooLarge("parts of a union");
  const sorted = [...set].sort((a, b) => a.from - b.from || Number(b.lowClosed) - Number(a.lowClosed));
  const result: RealSet = [];
  for (const next of sorted) {
    const last = result.at(-1);
    if (!last || next.from > last.to || (next.from === last.to && !next.lowClosed && !last.highClosed)) {
      result.push({ ...next });
    } else if (next.to > last.to || (next.to === last.to && next.highClosed)) {
      Object.assign(last, { high: next.high, highClosed: next.highClosed, to: next.to });
    }
  }
  return result;
}

function complement(set: RealSet): RealSet {
  const result: RealSet = [];
  let low: Pick<Interval, "low" | "lowClosed"> = { low: NEGATIVE_INFINITY, lowClosed: false };
  for (const part of set) {
    if (part.from !== -Infinity) result.push(interval(low.low, low.lowClosed, part.low, !part.lowClosed));
    low = { low: part.high, lowClosed: !part.highClosed };
    if (part.to === Infinity) return result;
  }
  result.push(interval(low.low, low.lowClosed, INFINITY, false));
  return result;
}

function intersect(a: RealSet, b: RealSet): RealSet | null {
  const result: RealSet = [];
  for (const x of a) {
    for (const y of b) {
      const low = x.from > y.from || (x.from === y.from && !x.lowClosed) ? x : y;
      const high = x.to < y.to || (x.to === y.to && !x.highClosed) ? x : y;
      const part = interval(low.low, low.lowClosed, high.high, high.highClosed);
      if (part.from < part.to || (part.from === part.to && part.lowClosed && part.highClosed)) {
        result.push(part);
      }
    }
  }
  return checked(result);
}

/** A set described by inequalities, and the name it is a set of. */
interface Described {
  name: Node;
  set: RealSet;
}

/** The solutions of `a < x <= b`, `|x| < a`, `x != a`, `-2x > 6`; null for relations of other kinds. */
export function solutions(node: Node, steps: Steps): Described | null {
  if (node.kind === "list" && node.joined) {
    const parts = node.items.map((item) =>
      solutions(item, steps) ?? (node.joined === "or" ? point(item) : null)
    );
    const first = parts[0];
    if (!first || !parts.every((p) => p && sameName(p.name, first.name))) return null;
    const set = parts.slice(1).reduce<RealSet | null>(
      (all, p) => all && (node.joined === "or" ? checked([...all, ...p!.set]) : intersect(all, p!.set)),
      first.set,
    );
    return set && { name: first.name, set };
  }
  if (node.kind !== "relation") return null;
  let all: Described | null = null;
  for (let k = 0; k < node.ops.length; k++) {
    const one = single(node.sides[k], node.ops[k], node.sides[k + 1], steps);
    if (!one || (all && !sameName(all.name, one.name))) return null;
    const set: RealSet | null = all ? intersect(all.set, one.set) : one.set;
    if (!set) return null;
    all = { name: one.name, set };
  }
  return all;
}

const sameName = (a: Node, b: Node): boolean => format(a) === format(b);

/** `x = 2` beside others with `or`. */
function point(node: Node): Described | null {
  if (node.kind !== "relation" || node.ops.length !== 1 || node.ops[0] !== "=") return null;
  const [name, value] = node.sides;
  const set = isVariable(name) ? checked([interval(value, true, value, true)]) : null;
  return set && { name, set };
}

function single(left: Node, op: RelationOp, right: Node, steps: Steps): Described | null {
  if (op === "in") {
    const set = realSet(right, steps);
    return set && isVariable(left) ? { name: left, set } : null;
  }
  const flipped = FLIPPED[op];
  if (op === "=" || !flipped) return null;
  if (isVariable(left) && !Number.isNaN(endValue(right))) return bounded(left, op, right);
  if (isVariable(right) && !Number.isNaN(endValue(left))) return bounded(right, flipped, left);
  return linear(left, op, right, steps);
}

const isVariable = (node: Node): boolean =>
  (node.kind === "symbol" && !node.constant) || (node.kind === "apply" && node.op.startsWith("call:")) ||
  (node.kind === "apply" && node.op === "abs" && isVariable(node.args[0]));

function bounded(name: Node, op: RelationOp, bound: Node): Described | null {
  const closed = op === "<=" || op === ">=";
  let set: RealSet | null;
  if (op === "!=") {
    set = complement([interval(bound, true, bound, true)]);
  } else if (op === "<" || op === "<=") set = checked([interval(NEGATIVE_INFINITY, false, bound, closed)]);
  else set = checked([interval(bound, closed, INFINITY, false)]);
  if (name.kind !== "apply" || name.op !== "abs") return set && { name, set };
  return modulus(name.args[0], set);
}

/** The x with |x| in the set. */
function modulus(name: Node, set: RealSet | null): Described | null {
  const zero = number({ num: 0n, den: 1n });
  const positive = set && intersect(set, [interval(zero, true, INFINITY, false)]);
  if (!positive) return null;
  const minus = (n: Node): Node => n.kind === "apply" && n.op === "negate" ? n.args[0] : apply("negate", n);
  const mirrored = positive.map((x) => interval(minus(x.high), x.highClosed, minus(x.low), x.lowClosed));
  const both = checked([...positive, ...mirrored]);
  return both && { name, set: both };
}

/** `c x + d < 0` with rational c and d. */
function linear(left: Node, op: RelationOp, right: Node, steps: Steps): Described | null {
  const g = newAlgebra(steps);
  const f = addFractions(normalForm(left, g), negateFraction(normalForm(right, g)), g);
  if (!constantOf(f.den)) return null;
  let slope = null;
  let name = "";
  let offset = { num: 0n, den: 1n };
  for (const term of f.num.values()) {
    if (term.powers.length === 0) offset = term.coefficient;
    else if (!slope && term.powers.length === 1 && term.powers[0][1] === 1) {
      const { head } = g.atoms[term.powers[0][0]];
      if (!head.startsWith("symbol ")) return null;
      slope = term.coefficient;
      name = head.slice(7);
    } else return null;
  }
  if (!slope) return null;
  const bound = number(negateRational(divideRationals(offset, slope)));
  return bounded({ kind: "symbol", name }, slope.num < 0n ? FLIPPED[op]! : op, bound);
}
