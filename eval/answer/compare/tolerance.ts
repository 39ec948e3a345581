/** Tolerances, where a task asks for one: exact decimals, absolute, inclusive. */
import { UserError } from "../../../gpu/errors.ts";
import { numericValue } from "../algebra/numeric_value.ts";
import { exactValue, type Finding } from "../algebra/same_scalar.ts";
import { freeSymbols } from "../algebra/sample_points.ts";
import type { Steps } from "../budget.ts";
import type { Node } from "../node.ts";
import {
  absoluteRational,
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
  const [x, y] = [gold, answer].map((n) => numericValue(n, { point: new Map(), complex: false, steps }));
  if (![x.re, x.im, y.re, y.im].every(Number.isFinite) || x.im !== 0 || y.im !== 0) return null;
  const distance = Math.abs(x.re - y.re);
  // Doubles cannot tell on which side of the tolerance a value lies that is this near to it.
  const rounding = 1e-13 * Math.max(Math.abs(x.re), Math.abs(y.re));
  return { equal: distance + rounding <= toNumber(tolerance), rule };
}
