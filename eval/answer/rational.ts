/** Exact rational arithmetic on BigInt: every plain number is judged with it, never in floating point. */

/** A reduced fraction; `den` is positive. */
export interface Rational {
  num: bigint;
  den: bigint;
}

/** Longest run of digits read as a number, and largest decimal exponent: beyond them a number is left undecided. */
export const MAX_DIGITS = 1000;
export const MAX_EXPONENT = 2000;

function gcd(a: bigint, b: bigint): bigint {
  if (a < 0n) a = -a;
  if (b < 0n) b = -b;
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** The reduced fraction `num / den`. Throws a RangeError if `den` is zero. */
export function rational(num: bigint, den = 1n): Rational {
  if (den === 0n) throw new RangeError("zero denominator");
  if (den === 1n) return { num, den };
  const g = gcd(num, den) * (den < 0n ? -1n : 1n);
  return { num: num / g, den: den / g };
}

export const add = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.den + b.num * a.den, a.den * b.den);
export const subtract = (a: Rational, b: Rational): Rational => add(a, negate(b));
export const multiply = (a: Rational, b: Rational): Rational => rational(a.num * b.num, a.den * b.den);
export const divide = (a: Rational, b: Rational): Rational => rational(a.num * b.den, a.den * b.num);
export const negate = (a: Rational): Rational => ({ num: -a.num, den: a.den });
export const absolute = (a: Rational): Rational => (a.num < 0n ? negate(a) : a);
export const equalRationals = (a: Rational, b: Rational): boolean => a.num === b.num && a.den === b.den;

/** Negative, zero or positive as a is less than, equal to or greater than b. */
export function compareRationals(a: Rational, b: Rational): number {
  const d = a.num * b.den - b.num * a.den;
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/**
 * A decimal such as `-12`, `.5`, `3.`, `1.5e-3` as an exact fraction.
 *
 * @returns null for anything else, and for numbers beyond {@linkcode MAX_DIGITS} or {@linkcode MAX_EXPONENT}
 */
export function parseDecimal(text: string): Rational | null {
  if (text.length > MAX_DIGITS) return null;
  const m = DECIMAL.exec(text);
  if (!m) return null;
  const [, sign, whole, fraction = "", exponent = "0"] = m;
  if (whole === "" && fraction === "") return null;
  const e = Number(exponent);
  if (Math.abs(e) > MAX_EXPONENT) return null;
  const shift = e - fraction.length;
  const digits = BigInt(
    sign + whole + fraction === "-" ? "0" : `${sign === "-" ? "-" : ""}${whole}${fraction}`,
  );
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift)) : rational(digits, 10n ** BigInt(-shift));
}

/** `num/den`, or the integer alone. */
export function formatRational(a: Rational): string {
  return a.den === 1n ? `${a.num}` : `${a.num}/${a.den}`;
}
