/** The atoms of exact algebra: roots of primes, sines at exact angles, logarithms of primes, and opaque functions. */
import { spend, Undecidable } from "../budget.ts";
import {
  absoluteRational,
  bigGcd,
  divideRationals,
  ONE,
  powerRational,
  type Rational,
  rational,
} from "../rational.ts";
import type { Algebra, Fraction, Polynomial } from "./algebra.ts";
import {
  addFractions,
  equalFractions,
  fromAtom,
  fromInteger,
  fromRational,
  multiplyFractions,
  negateFraction,
  powerFraction,
  rationalOf,
  scaleFraction,
} from "./fraction.ts";
import { constantOf, monomial } from "./polynomial.ts";

/** How an atom's value changes when its argument changes sign. */
type Parity = "none" | "even" | "odd";

/** The atom `head(args)`, found again where the arguments are proved equal (up to sign, for even and odd functions). */
export function atom(g: Algebra, head: string, args: Fraction[] = [], parity: Parity = "none"): Fraction {
  for (let k = 0; k < g.atoms.length; k++) {
    const known = g.atoms[k];
    if (known.head !== head || known.args.length !== args.length) continue;
    spend(g.steps);
    if (args.every((arg, i) => equalFractions(arg, known.args[i], g))) return fromAtom(k);
    if (parity !== "none" && equalFractions(args[0], negateFraction(known.args[0]), g)) {
      return parity === "even" ? fromAtom(k) : negateFraction(fromAtom(k));
    }
  }
  g.atoms.push({ head, args });
  return fromAtom(g.atoms.length - 1);
}

/** The number of the atom in a fraction that is one atom alone, with its exponent and coefficient one; else null. */
export function soleAtom(f: Fraction): { atom: number; exponent: number } | null {
  if (f.num.size !== 1 || !constantOf(f.den)) return null;
  const term = f.num.values().next().value!;
  if (term.powers.length !== 1 || term.coefficient.num !== 1n || term.coefficient.den !== 1n) return null;
  return { atom: term.powers[0][0], exponent: term.powers[0][1] };
}

function relate(g: Algebra, f: Fraction, power: number, value: Polynomial): Fraction {
  const sole = soleAtom(f);
  if (sole) g.atoms[sole.atom].relation ??= { power, value };
  return f;
}

export const imaginary = (g: Algebra): Fraction => relate(g, atom(g, "i"), 2, monomial(rational(-1n)));

const SMALL_PRIME_LIMIT = 2000n;

/** Prime powers of a positive integer; a large factor that trial division cannot split is kept whole. */
function factor(n: bigint): [bigint, bigint][] {
  const result: [bigint, bigint][] = [];
  for (let p = 2n; p * p <= n && p < SMALL_PRIME_LIMIT; p += p === 2n ? 1n : 2n) {
    let e = 0n;
    for (; n % p === 0n; n /= p) e++;
    if (e > 0n) result.push([p, e]);
  }
  if (n > 1n) result.push([n, 1n]);
  return result;
}

/** Prime powers of a positive rational, with negative exponents for its denominator. */
export function factorRational(a: Rational): [bigint, bigint][] {
  return [...factor(a.num), ...factor(a.den).map(([p, e]): [bigint, bigint] => [p, -e])];
}

function integerRoot(n: bigint, degree: number): bigint | null {
  const guess = BigInt(Math.round(Number(n) ** (1 / degree)));
  for (const r of [guess - 1n, guess, guess + 1n]) if (r > 0n && r ** BigInt(degree) === n) return r;
  return null;
}

/** `base^(1/degree)` of a rational, over roots of primes. Even roots of negatives are imaginary, odd ones real. */
function surd(base: Rational, degree: number, g: Algebra): Fraction {
  if (base.num === 0n) return fromInteger(0);
  if (base.num < 0n) {
    const positive = surd(absoluteRational(base), degree, g);
    if (degree % 2 === 1) return negateFraction(positive);
    if (degree === 2) return multiplyFractions(imaginary(g), positive, g);
    throw new Undecidable("even root of a negative number");
  }
  let result = fromInteger(1);
  for (const [p, e] of factorRational(base)) {
    spend(g.steps);
    const whole = p > SMALL_PRIME_LIMIT * SMALL_PRIME_LIMIT && p < 1n << 900n ? integerRoot(p, degree) : null;
    const part = whole ? fromRational(powerRational(rational(whole), e)) : primeRoot(p, Number(e), degree, g);
    result = multiplyFractions(result, part, g);
  }
  return result;
}

/** `p^(e/degree)` for a prime p. */
function primeRoot(p: bigint, e: number, degree: number, g: Algebra): Fraction {
  const whole = Math.floor(e / degree);
  const rest = e - whole * degree;
  const outside = fromRational(powerRational(rational(p), BigInt(whole)));
  if (rest === 0) return outside;
  const common = gcd(rest, degree);
  const n = degree / common;
  const root = relate(g, atom(g, `root ${n}`, [fromInteger(p)]), n, monomial(rational(p)));
  return multiplyFractions(outside, powerFraction(root, rest / common, g), g);
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Splits a fraction into a positive rational and the rest; the rest of `4x + 8` is `x + 2`. */
export function content(f: Fraction): { positive: Rational; rest: Fraction } {
  const first = f.num.values().next().value;
  if (!first) return { positive: ONE, rest: f };
  let num = 0n;
  let den = 1n;
  for (const { coefficient: c } of f.num.values()) {
    num = bigGcd(num, c.num);
    den = den / bigGcd(den, c.den) * c.den;
  }
  const positive = rational(num, den);
  return { positive, rest: scaleFraction(f, divideRationals(ONE, positive)) };
}

/** The root of a fraction with atoms: the rational content comes out, the rest is an atom with its relation. */
export function rootOf(f: Fraction, degree: number, g: Algebra): Fraction {
  const value = rationalOf(f);
  if (value) return surd(value, degree, g);
  const { positive, rest } = content(f);
  const root = atom(g, `root ${degree}`, [rest], degree % 2 === 1 ? "odd" : "none");
  const related = constantOf(rest.den) && soleAtom(root) ? relate(g, root, degree, rest.num) : root;
  return multiplyFractions(surd(positive, degree, g), related, g);
}

/** Sine and cosine of `turns` times pi where they are roots; null for other angles. */
function exactAngle(turns: Rational, g: Algebra): { sin: Fraction; cos: Fraction } | null {
  if (12n % turns.den !== 0n) return null;
  const twelfths = Number(((turns.num * (12n / turns.den)) % 24n + 24n) % 24n);
  return { sin: sineOfTwelfths(twelfths, g), cos: sineOfTwelfths((twelfths + 6) % 24, g) };
}

/** sin(k pi/12). */
function sineOfTwelfths(k: number, g: Algebra): Fraction {
  if (k >= 12) return negateFraction(sineOfTwelfths(k - 12, g));
  if (k > 6) return sineOfTwelfths(12 - k, g);
  const root = (n: number) => surd(rational(n), 2, g);
  const half = rational(1n, 2n);
  const quarter = rational(1n, 4n);
  switch (k) {
    case 0:
      return fromInteger(0);
    case 1:
      return scaleFraction(addFractions(root(6), negateFraction(root(2)), g), quarter);
    case 2:
      return fromRational(half);
    case 3:
      return scaleFraction(root(2), half);
    case 4:
      return scaleFraction(root(3), half);
    case 5:
      return scaleFraction(addFractions(root(6), root(2), g), quarter);
    default:
      return fromInteger(1);
  }
}

/** The rational r where the fraction is `r * pi`, or null. */
function turnsOf(f: Fraction, g: Algebra): Rational | null {
  if (f.num.size === 0) return rational(0n);
  const pi = soleAtom(atom(g, "pi"))!.atom;
  const term = f.num.size === 1 && constantOf(f.den) ? f.num.values().next().value! : null;
  return term && term.powers.length === 1 && term.powers[0][0] === pi && term.powers[0][1] === 1
    ? term.coefficient
    : null;
}

/** Sine and cosine of a fraction: exact where the angle is, else atoms with `sin^2 = 1 - cos^2`. */
export function sineCosine(f: Fraction, g: Algebra): { sin: Fraction; cos: Fraction } {
  const turns = turnsOf(f, g);
  const exact = turns && exactAngle(turns, g);
  if (exact) return exact;
  const cos = atom(g, "cos", [f], "even");
  const sin = atom(g, "sin", [f], "odd");
  const number = sin.num.values().next().value!.powers[0][0];
  if (!g.atoms[number].relation) {
    const rest = addFractions(fromInteger(1), negateFraction(powerFraction(cos, 2, g)), g);
    g.atoms[number].relation = { power: 2, value: rest.num };
  }
  return { sin, cos };
}

/** The natural logarithm, with rational content split into logarithms of primes. */
export function logarithm(f: Fraction, g: Algebra): Fraction {
  const sole = soleAtom(f);
  const head = sole ? g.atoms[sole.atom] : null;
  if (sole && head?.head === "exp") return scaleFraction(head.args[0], rational(sole.exponent));
  const { positive, rest } = content(f);
  const value = rationalOf(rest);
  if (value && value.num <= 0n) throw new Undecidable("logarithm of a number that is not positive");
  let result = value ? fromInteger(0) : atom(g, "ln", [rest]);
  for (const [p, e] of factorRational(positive)) {
    result = addFractions(result, scaleFraction(atom(g, "ln", [fromInteger(p)]), rational(e)), g);
  }
  return result;
}
