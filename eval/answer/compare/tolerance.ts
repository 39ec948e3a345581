/** Tolerances, where a task asks for one: exact decimals, absolute, inclusive. */
import { UserError } from "../../../gpu/errors.ts";
import { newAlgebra } from "../algebra/algebra.ts";
import { boundedValue } from "../algebra/bounded_value.ts";
import { addFractions, negateFraction } from "../algebra/fraction.ts";
import { decimalAt } from "../algebra/is_zero_at.ts";
import { normalForm } from "../algebra/normal_form.ts";
import { numericValue } from "../algebra/numeric_value.ts";
import { exactValue, type Finding } from "../algebra/same_scalar.ts";
import { freeSymbols } from "../algebra/sample_points.ts";
import { type Steps, Undecidable } from "../budget.ts";
import type { Node } from "../node.ts";
import {
  absoluteRational,
  addRationals,
  compareRationals,
  formatRational,
  parseDecimal,
  type Rational,
  rational,
  subtractRationals,
  toNumber,
} from "../rational.ts";

/** How exact an answer must be: a number of decimals (an integer from 0 to 20), or absolute tolerances. */
export type Precision = number | string | (number | string)[];

/**
 * Reads a precision. An integer from 0 to 20, given as a number, counts decimals: half a unit of the last one is allowed.
 * Anything else (`"1e-4"`, 1e34, 0.001, or a list with one for each gold value) is an absolute tolerance.
 */
export function tolerancesOf(precision: Precision | undefined): Rational[] {
  if (precision === undefined) return [];
  if (typeof precision === "number" && Number.isInteger(precision) && precision >= 0 && precision <= 20) {
    return [rational(1n, 2n * 10n ** BigInt(precision))];
  }
  return (Array.isArray(precision) ? precision : [precision]).map((p) => {
    const value = parseDecimal(String(p));
    if (!value || value.num < 0n) {
      throw new UserError(
        `Cannot use the precision ${p}: a decimal that is not negative is needed`,
        "for example 1e-4, or 6 for six decimals",
      );
    }
    return value;
  });
}

/** Compares two values without symbols; null where one of them is no real number and tolerances say nothing. */
export function withinTolerance(gold: Node, answer: Node, tolerance: Rational, steps: Steps): Finding | null {
  if (freeSymbols(gold, answer).length > 0) return null;
  const rule = `within ${formatRational(tolerance)}`;
  const [a, b] = [exactValue(gold, steps), exactValue(answer, steps)];
  if (a && b) {
    return { equal: compareRationals(absoluteRational(subtractRationals(a, b)), tolerance) <= 0, rule };
  }
  const point = new Map();
  const [x, y] = [gold, answer].map((n) => numericValue(n, { point, complex: false, steps }));
  if (![x.re, x.im, y.re, y.im].every(Number.isFinite) || x.im !== 0 || y.im !== 0) return null;
  const [u, v] = [gold, answer].map((n) => boundedValue(n, point, steps));
  const distance = Math.abs(u.value - v.value);
  const error = (u.error + v.error + 2 ** -52 * distance) * (1 + 2 ** -50);
  const most = toNumber(tolerance);
  if (distance + error <= most * (1 - 2 ** -50)) return { equal: true, rule };
  if (distance - error > most * (1 + 2 ** -50)) return { equal: false, rule };
  return inManyDigits(gold, answer, tolerance, steps, rule);
}

/** What doubles cannot tell, since terms cancel or the tolerance is met by a hair: 140 digits, or nothing. */
function inManyDigits(
  gold: Node,
  answer: Node,
  tolerance: Rational,
  steps: Steps,
  rule: string,
): Finding | null {
  const undecided = (detail: string): Finding => ({ equal: false, rule: "too large to decide", detail });
  try {
    const g = newAlgebra(steps, false);
    const difference = addFractions(normalForm(gold, g), negateFraction(normalForm(answer, g)), g);
    const opaque = () => {
      throw new Undecidable("a function without a value");
    };
    const found = decimalAt(difference, { g, point: new Map(), complex: true, known: new Map(), opaque });
    if (!found) return null;
    const distance = absoluteRational(found.value);
    if (compareRationals(addRationals(distance, found.error), tolerance) <= 0) return { equal: true, rule };
    return compareRationals(subtractRationals(distance, found.error), tolerance) > 0
      ? { equal: false, rule }
      : undecided("too near to the tolerance");
  } catch (error) {
    if (error instanceof Undecidable) return undecided(error.message);
    throw error;
  }
}
