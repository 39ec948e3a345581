/** Equations and inequalities: the same claim, written otherwise. */
import { type Algebra, type Fraction, newAlgebra } from "../algebra/algebra.ts";
import { addFractions, negateFraction } from "../algebra/fraction.ts";
import { normalForm } from "../algebra/normal_form.ts";
import { addPolynomials, multiplyPolynomials, scale } from "../algebra/polynomial.ts";
import type { Finding } from "../algebra/same_scalar.ts";
import { substitute } from "../algebra/substitute.ts";
import { type Steps, Undecidable } from "../budget.ts";
import { FLIPPED, type Node, symbol } from "../node.ts";
import { divideRationals, negateRational, type Rational } from "../rational.ts";

type Relation = Node & { kind: "relation" };

/** f(x) = ... defines the same as f(t) = ...: arguments that are plain names are given common ones. */
function commonArguments(a: Relation, b: Relation): [Relation, Relation] {
  const x = defined(a);
  const y = defined(b);
  if (!x || !y || x.name !== y.name || x.args.length !== y.args.length) return [a, b];
  return [rename(a, x.args), rename(b, y.args)];
}

function defined(node: Relation): { name: string; args: string[] } | null {
  const left = node.sides[0];
  if (node.ops.length !== 1 || node.ops[0] !== "=" || left.kind !== "apply") return null;
  const call = left.op.startsWith("call:") ? { name: left.op, args: left.args } : null;
  const found = call ??
    (left.call && left.args[0].kind === "symbol"
      ? { name: left.args[0].name, args: left.args.slice(1) }
      : null);
  if (!found || !found.args.every((arg) => arg.kind === "symbol" && !arg.constant)) return null;
  return { name: found.name, args: found.args.map((arg) => (arg as { name: string }).name) };
}

function rename(node: Relation, args: string[]): Relation {
  // Two passes, so that f(y, x) does not run into itself.
  const first = args.reduce<Node>((n, name, k) => substitute(n, name, symbol(`argument ${k}`)), node);
  return first as Relation;
}

/** Compares two relations of two sides or more. */
export function sameRelation(
  a: Relation,
  b: Relation,
  steps: Steps,
  sameSide: (x: Node, y: Node) => boolean,
): Finding {
  const [x, y] = commonArguments(a, b);
  if (x.ops.length !== y.ops.length) return { equal: false, rule: "different relations" };
  if (x.ops.length > 1) return chains(x, y, sameSide);
  const [opX, opY] = [x.ops[0], y.ops[0]];
  if (opX === opY && x.sides.every((side, k) => sameSide(side, y.sides[k]))) {
    return { equal: true, rule: "same relation" };
  }
  const flipped = FLIPPED[opX];
  if (flipped === opY && sameSide(x.sides[0], y.sides[1]) && sameSide(x.sides[1], y.sides[0])) {
    return { equal: true, rule: "same relation, reversed" };
  }
  if (!flipped || !FLIPPED[opY]) return { equal: false, rule: "different relations" };
  const factor = proportion(x, y, steps);
  if (!factor) return { equal: false, rule: "different relations" };
  const op = factor.num < 0n ? FLIPPED[opY] : opY;
  return op === opX
    ? { equal: true, rule: "same relation up to a factor" }
    : { equal: false, rule: "different relations", detail: `${opX} and ${op}` };
}

function chains(x: Relation, y: Relation, sameSide: (a: Node, b: Node) => boolean): Finding {
  const straight = x.ops.every((op, k) => op === y.ops[k]) &&
    x.sides.every((s, k) => sameSide(s, y.sides[k]));
  const last = x.ops.length - 1;
  const reversed = !straight && x.ops.every((op, k) => FLIPPED[op] === y.ops[last - k]) &&
    x.sides.every((s, k) => sameSide(s, y.sides[last + 1 - k]));
  if (straight || reversed) return { equal: true, rule: straight ? "same chain" : "same chain, reversed" };
  return { equal: false, rule: "different chains" };
}

/** The rational c with `left - right` of x equal to c times that of y, or null. */
function proportion(x: Relation, y: Relation, steps: Steps): Rational | null {
  const g = newAlgebra(steps);
  try {
    const f = difference(x, g);
    const h = difference(y, g);
    const left = multiplyPolynomials(f.num, h.den, g);
    const right = multiplyPolynomials(h.num, f.den, g);
    const [key, term] = left.entries().next().value ?? [];
    const other = key === undefined ? undefined : right.get(key);
    // Of 2 = 3 and 7 = 3 both are false, and not the same.
    if (!term || !other || (left.size === 1 && term.powers.length === 0)) return null;
    const factor = divideRationals(term.coefficient, other.coefficient);
    return addPolynomials(left, scale(right, negateRational(factor)), g).size === 0 ? factor : null;
  } catch (error) {
    if (error instanceof Undecidable) return null;
    throw error;
  }
}

function difference(node: Relation, g: Algebra): Fraction {
  return addFractions(normalForm(node.sides[0], g), negateFraction(normalForm(node.sides[1], g)), g);
}
