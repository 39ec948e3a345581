/**
 * Are two scalar expressions equal? Exact numbers first; then doubles, which only ever say "different"; then exact
 * algebra, which proves; then values to 110 digits at points that no answer can know.
 */
import { type Steps, TooLarge, Undecidable } from "../budget.ts";
import { format, type Node, number, some } from "../node.ts";
import { equalRationals, formatRational, type Rational, rational } from "../rational.ts";
import { type Algebra, newAlgebra, type Polynomial } from "./algebra.ts";
import { boundedValue } from "./bounded_value.ts";
import { modulus } from "./complex.ts";
import { addFractions, negateFraction } from "./fraction.ts";
import { isSquare } from "./is_square.ts";
import { isZeroAt, type Values } from "./is_zero_at.ts";
import { normalForm } from "./normal_form.ts";
import { numericValue, type Point } from "./numeric_value.ts";
import { constantOf } from "./polynomial.ts";
import { freeSymbols, hash, integerPoint, integers, samplePoint, wideSamplePoint } from "./sample_points.ts";
import { sameStructure } from "./same_structure.ts";
import { mentionsInSubscript, renameBound, substitute } from "./substitute.ts";

/** What was found, and by which rule. */
export interface Finding {
  equal: boolean;
  rule: string;
  detail?: string;
}

const TRIES = 16;
/** Points at which two expressions with symbols must agree. */
const POINTS = 5;

/** Compares two scalar expressions. Throws TooLarge when a budget is spent, and structure does not decide. */
export function sameScalar(a: Node, b: Node, steps: Steps): Finding {
  try {
    return compareScalarValues(a, b, steps);
  } catch (error) {
    if (!(error instanceof TooLarge) || !sameStructure(a, b)) throw error;
    return { equal: true, rule: "same structure" };
  }
}

function compareScalarValues(a: Node, b: Node, steps: Steps): Finding {
  if (a.kind === "number" && b.kind === "number") return exactly(a.value, b.value);
  const names = freeSymbols(a, b);
  const x = names.length === 0 ? exactValue(a, steps) : null;
  const y = x && exactValue(b, steps);
  if (x && y) return exactly(x, y);
  if (
    format(a) === format(b) || (hasSum(a) && hasSum(b) && format(renameBound(a)) === format(renameBound(b)))
  ) {
    return { equal: true, rule: "same expression" };
  }
  const seed = hash([format(a), format(b)].sort().join("|"));
  const imaginary = [a, b].some((n) =>
    some(n, (m) => m.kind === "symbol" && m.constant === true && m.name === "i")
  );
  const pair: Pair = { a, b, names, seed, steps, complex: imaginary || names.length === 0 };
  const seen = differInDoubles(pair, names.length === 0 ? 1 : 6, samplePoint);
  if (seen) return seen;
  if ([a, b].some(hasOpenSum)) return sameSums(a, b, names, seed, steps);
  const g = newAlgebra(steps, !pair.complex);
  try {
    const difference = addFractions(normalForm(a, g), negateFraction(normalForm(b, g)), g).num;
    return difference.size === 0 ? { equal: true, rule: "exact algebra" } : byDigits(difference, g, pair);
  } catch (error) {
    if (error instanceof Undecidable) return unproved(error.message);
    throw error;
  }
}

/** Two expressions, their symbols, the seed of their sample points, and whether roots of negatives have values. */
interface Pair {
  a: Node;
  b: Node;
  names: string[];
  seed: number;
  steps: Steps;
  complex: boolean;
}

const unproved = (detail: string): Finding => ({ equal: false, rule: "not proved equal", detail });

function exactly(a: Rational, b: Rational): Finding {
  const equal = equalRationals(a, b);
  return equal
    ? { equal, rule: "exact numbers" }
    : { equal, rule: "exact numbers", detail: `${short(a)} is not ${short(b)}` };
}

function short(a: Rational): string {
  const text = formatRational(a);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** The exact value of an expression without symbols, where it is rational; null where it is not or cannot be had. */
export function exactValue(node: Node, steps: Steps): Rational | null {
  if (node.kind === "number") return node.value;
  if (some(node, (n) => n.kind !== "number" && n.kind !== "apply" && n.kind !== "percent")) return null;
  try {
    const form = normalForm(node, newAlgebra(steps));
    return constantOf(form.den) && constantOf(form.num);
  } catch (error) {
    if (error instanceof Undecidable) return null;
    throw error;
  }
}

/** A finding where doubles differ at a point where both have values; null where they show nothing. */
function differInDoubles(
  { a, b, names, seed, steps, complex }: Pair,
  tries: number,
  pointAt: typeof samplePoint,
): Finding | null {
  for (let k = 0; k < tries; k++) {
    const point = pointAt(names, seed, k);
    const x = numericValue(a, { point, complex, steps });
    const y = numericValue(b, { point, complex, steps });
    const scale = Math.max(modulus(x), modulus(y));
    const distance = modulus({ re: x.re - y.re, im: x.im - y.im });
    if (
      Number.isFinite(scale) && distance > 1e-6 * scale && distance > 1e-9 &&
      !mayBeRounding(a, b, point, distance, steps)
    ) {
      const where = names.map((n) => ` ${n} = ${formatRational(point.get(n)!)}`).join(",");
      return {
        equal: false,
        rule: "different values",
        detail: `${show(x)} and ${show(y)}${where && ` at${where}`}`,
      };
    }
  }
  return null;
}

/** True if terms so large cancel that the distance of the two values may be rounding; complex values are trusted. */
function mayBeRounding(a: Node, b: Node, point: Point, distance: number, steps: Steps): boolean {
  if (!some(a, isLarge) && !some(b, isLarge)) return false;
  const error = boundedValue(a, point, steps).error + boundedValue(b, point, steps).error;
  return Number.isFinite(error) ? error >= distance : false;
}

/** What can be so large, or so near to a pole, that its last digits outweigh other terms. */
function isLarge(n: Node): boolean {
  if (n.kind === "number") return n.value.num > LARGE || n.value.num < -LARGE;
  if (n.kind !== "apply") return false;
  if (n.op !== "power") return n.op === "factorial" || n.op === "exp" || n.op === "binomial";
  const [, exponent] = n.args;
  return exponent.kind !== "number" || exponent.value.num > 6n || exponent.value.num < -6n;
}
const LARGE = 1_000_000_000n;

const show = (z: { re: number; im: number }): string => z.im === 0 ? `${z.re}` : `${z.re} + ${z.im} i`;

/** What exact algebra leaves open: values to 110 digits at one point (no symbols) or several. */
function byDigits(p: Polynomial, g: Algebra, pair: Pair): Finding {
  if (isFree(p, g)) return { equal: false, rule: "different polynomials" };
  if (pair.names.length === 0) {
    return agreement(p, g, pair, 1, 1) ?? { equal: true, rule: "same value to 110 digits" };
  }
  // Functions with kinks can agree at any points and differ between them.
  if (hasKinks(p, g)) return unproved("absolute values, integer parts or roots of squares");
  return differInDoubles(pair, 24, wideSamplePoint) ?? agreement(p, g, pair, POINTS, TRIES) ??
    { equal: true, rule: `same values to 110 digits at ${POINTS} points` };
}

/** Null if the polynomial is zero at so many points out of so many tries; else why it is not. */
function agreement(
  p: Polynomial,
  g: Algebra,
  { names, seed, complex }: Pair,
  wanted: number,
  tries: number,
): Finding | null {
  let agreed = 0;
  let reason = "no point where both have values";
  for (let k = 0; k < tries && agreed < wanted; k++) {
    const opaque = (atom: number) =>
      rational(BigInt(1 + integers(seed + 977 * atom + k)() % 4_000_000), 1_000_000n);
    const values: Values = { g, point: samplePoint(names, seed, k), complex, known: new Map(), opaque };
    try {
      if (!isZeroAt(p, values)) {
        return { equal: false, rule: "different values", detail: "beyond the sixth digit" };
      }
      agreed++;
    } catch (error) {
      if (!(error instanceof Undecidable)) throw error;
      reason = error.message;
    }
  }
  return agreed < wanted ? unproved(reason) : null;
}

const KINKED = new Set(["abs", "floor", "max", "min", "sgn", "sign", "arg", "gcd", "lcm"]);

/** True if a function with kinks, or an even root of a square, stands anywhere in the polynomial. */
function hasKinks(p: Polynomial, g: Algebra): boolean {
  return [...p.values()].some((t) =>
    t.powers.some(([number]) => {
      const { head, args } = g.atoms[number];
      if (KINKED.has(head)) return true;
      if (
        /^root \d*[02468]$/.test(head) && args[0].num.size > 0 && isSquare(args[0].num, g) &&
        isSquare(args[0].den, g)
      ) return true;
      return args.some((arg) => hasKinks(arg.num, g) || hasKinks(arg.den, g));
    })
  );
}

/** True if the polynomial has free symbols alone: then what does not cancel is different. */
function isFree(p: Polynomial, g: Algebra): boolean {
  return [...p.values()].every((t) => t.powers.every(([atom]) => g.atoms[atom].head.startsWith("symbol ")));
}

function isOpenSum(n: Node): boolean {
  return n.kind === "apply" && (n.op === "sum" || n.op === "prod") &&
    freeSymbols(n.args[1], n.args[2]).length > 0 &&
    !mentionsInSubscript(n.args[3], (n.args[0] as { name: string }).name);
}

const hasSum = (n: Node): boolean =>
  some(n, (m) => m.kind === "apply" && (m.op === "sum" || m.op === "prod"));

const hasOpenSum = (n: Node): boolean => some(n, isOpenSum);

/** Sums with symbols in their bounds: equal if exact algebra proves it at eight integers. */
function sameSums(a: Node, b: Node, names: string[], seed: number, steps: Steps): Finding {
  const inBounds = names.filter((name) =>
    [a, b].some((side) =>
      some(
        side,
        (n) => isOpenSum(n) && n.kind === "apply" && freeSymbols(n.args[1], n.args[2]).includes(name),
      )
    )
  );
  for (let k = 0; k < 8; k++) {
    const point = integerPoint(inBounds, seed, k);
    const at = (side: Node) =>
      [...point].reduce((n, [name, value]) => substitute(n, name, number(value)), side);
    const found = sameScalar(at(a), at(b), steps);
    if (!found.equal) return found;
  }
  return { equal: true, rule: "same sums at 8 integers" };
}
