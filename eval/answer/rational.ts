/** Exact rational arithmetic on BigInt: every plain number is judged with it, never in floating point. */
import { MAX_BITS, TooLarge, Undecidable } from "./budget.ts";

/** A reduced fraction; `den` is positive. */
export interface Rational {
  /** numerator, with the sign */
  num: bigint;
  /** denominator, above 0 */
  den: bigint;
}

/** Longest run of digits that is read as a number. */
const MAX_DIGITS = 1000;
/** Largest decimal exponent that is read. */
const MAX_EXPONENT = 2000;

/** The greatest common divisor, of the numbers without their signs: Euclid's algorithm, in Lehmer's form while they are long. */
export function bigGcd(a: bigint, b: bigint): bigint {
  if (a < 0n) a = -a;
  if (b < 0n) b = -b;
  if (a < b) [a, b] = [b, a];
  if (b > LONG) [a, b] = shortened(a, b);
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
const LONG = 1n << 256n;

/** The matrix of as many steps of Euclid's algorithm as the leading digits of two numbers are sure of; the unit matrix where of none. */
function leadingSteps(x: number, y: number): [bigint, bigint, bigint, bigint] {
  let [a, b, c, d] = [1, 0, 0, 1];
  while (y + c !== 0 && y + d !== 0) {
    const quotient = Math.floor((x + a) / (y + c));
    if (quotient !== Math.floor((x + b) / (y + d))) break;
    const [nextC, nextD] = [a - quotient * c, b - quotient * d];
    if (Math.abs(nextC) > 2 ** 26 || Math.abs(nextD) > 2 ** 26) break;
    [a, b, c, d] = [c, d, nextC, nextD];
    [x, y] = [y, x - quotient * y];
  }
  return [BigInt(a), BigInt(b), BigInt(c), BigInt(d)];
}

/** Two numbers with the same divisor, the smaller one at most LONG: steps of Euclid's algorithm on their leading 50 digits. */
function shortened(a: bigint, b: bigint): [bigint, bigint] {
  let length = bits(a);
  while (b > LONG) {
    const shift = BigInt(length - 50);
    const top = Number(a >> shift);
    const [p, q, r, s] = leadingSteps(top, Number(b >> shift));
    if (q === 0n) [a, b] = [b, a % b];
    else [a, b] = [p * a + q * b, r * a + s * b];
    if (a < b) [a, b] = [b, a];
    // How many digits are left is seen from the same place.
    const left = Number(a >> shift);
    length = left > 0 ? length - 50 + Math.floor(Math.log2(left)) + 1 : bits(a);
    if (length < 60) length = bits(a);
  }
  return [a, b];
}

/** Binary digits of an integer, within four. */
export function bits(a: bigint): number {
  return (a < 0n ? -a : a).toString(16).length * 4;
}

/** The reduced fraction `num / den`. Throws {@linkcode Undecidable} if `den` is zero, TooLarge beyond MAX_BITS. */
export function rational(num: bigint | number, den: bigint | number = 1n): Rational {
  let n = BigInt(num);
  let d = BigInt(den);
  if (d === 0n) throw new Undecidable("zero denominator");
  if (d !== 1n) {
    if (n > LONG || n < -LONG || d > LONG || d < -LONG) spendOn(n, d);
    const g = bigGcd(n, d) * (d < 0n ? -1n : 1n);
    n /= g;
    d /= g;
  }
  return withinBits(n, d);
}

/** A reduced fraction that is not too long. */
function withinBits(n: bigint, d: bigint): Rational {
  // The comparison with 2^53 keeps the digit count off the common path.
  if ((n > SMALL || n < -SMALL || d > SMALL) && (bits(n) > MAX_BITS || bits(d) > MAX_BITS)) {
    throw new TooLarge("digits");
  }
  return { num: n, den: d };
}
const SMALL = 1n << 53n;

/** Work on long integers that is left for one pair, in squares of 1,024 digits: a counted budget, since such work is slow. */
const MOST_LONG_WORK = 12_000;
const longWork = { left: MOST_LONG_WORK };

/** Gives the next pair its work on long integers. */
export function renewLongWork(): void {
  longWork.left = MOST_LONG_WORK;
}

function spendOn(n: bigint, d: bigint): void {
  const size = (bits(n) + bits(d)) / 2048;
  longWork.left -= size * size;
  if (longWork.left < 0) throw new TooLarge("work on digits");
}

const ZERO: Rational = { num: 0n, den: 1n };
export const ONE: Rational = { num: 1n, den: 1n };

export const addRationals = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.den + b.num * a.den, a.den * b.den);
export const subtractRationals = (a: Rational, b: Rational): Rational => addRationals(a, negateRational(b));
export const multiplyRationals = (a: Rational, b: Rational): Rational =>
  rational(a.num * b.num, a.den * b.den);
export const divideRationals = (a: Rational, b: Rational): Rational => rational(a.num * b.den, a.den * b.num);
export const negateRational = (a: Rational): Rational => ({ num: -a.num, den: a.den });
export const absoluteRational = (a: Rational): Rational => (a.num < 0n ? negateRational(a) : a);
export const equalRationals = (a: Rational, b: Rational): boolean => a.num === b.num && a.den === b.den;
export const isInteger = (a: Rational): boolean => a.den === 1n;

/** Negative, zero or positive as a is less than, equal to or greater than b. */
export function compareRationals(a: Rational, b: Rational): number {
  const d = a.num * b.den - b.num * a.den;
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

/** The largest integer that is not above a. */
export function floorRational(a: Rational): bigint {
  const q = a.num / a.den;
  return a.num < 0n && q * a.den !== a.num ? q - 1n : q;
}

/** `a` to an integer power. Throws TooLarge where the result would pass MAX_BITS. */
export function powerRational(a: Rational, exponent: bigint): Rational {
  const e = exponent < 0n ? -exponent : exponent;
  const base = exponent < 0n ? divideRationals(ONE, a) : a;
  if (e === 0n) return ONE;
  const size = Math.max(
    base.num === 1n || base.num === -1n ? 0 : bits(base.num),
    base.den === 1n ? 0 : bits(base.den),
  );
  if (base.num !== 0n && size > 0 && e * BigInt(size) > BigInt(MAX_BITS) * 4n) throw new TooLarge("power");
  if (base.num === 0n) return ZERO;
  if (size === 0) return base.num < 0n && e % 2n === 1n ? { num: -1n, den: 1n } : ONE;
  // Powers of a reduced fraction are reduced.
  return withinBits(base.num ** e, base.den ** e);
}

/** The nearest double; exact ratios of large integers keep their leading 17 digits. */
export function toNumber(a: Rational): number {
  const n = Number(a.num);
  const d = Number(a.den);
  if (Number.isFinite(n) && Number.isFinite(d)) return n / d;
  const shift = BigInt(Math.max(0, bits(a.den) - bits(a.num) + 64));
  const q = ((a.num < 0n ? -a.num : a.num) << shift) / a.den;
  const extra = Math.max(0, bits(q) - 64);
  const value = Number(q >> BigInt(extra)) * 2 ** (extra - Number(shift));
  return a.num < 0n ? -value : value;
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
  const digits = sign === "-" ? -BigInt(whole + fraction) : BigInt(whole + fraction);
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift)) : rational(digits, 10n ** BigInt(-shift));
}

/** `num/den`, or the integer alone. */
export function formatRational(a: Rational): string {
  return a.den === 1n ? `${a.num}` : `${a.num}/${a.den}`;
}
