/**
 * Exact algebra: fractions of polynomials with rational coefficients over "atoms" (symbols, roots, sines, ...). Atoms may
 * carry a relation `a^n = value`, such as `i^2 = -1`; products are reduced by it. If the difference of two fractions
 * reduces to zero, they are equal: a proof. If it does not, nothing is said, since atoms may depend on each other.
 */
import { MAX_TERMS, spend, type Steps, TooLarge, Undecidable } from "../budget.ts";
import {
  addRationals,
  bits,
  equalRationals,
  multiplyRationals,
  negateRational,
  ONE,
  powerRational,
  type Rational,
  rational,
} from "../rational.ts";

/** One term: a coefficient times powers of atoms, in ascending order of their numbers. */
export interface Term {
  coefficient: Rational;
  powers: [atom: number, exponent: number][];
}

/** Terms by the text of their powers. */
export type Polynomial = Map<string, Term>;

export interface Fraction {
  num: Polynomial;
  den: Polynomial;
}

/** Something that algebra treats as a variable. */
export interface Atom {
  head: string;
  args: Fraction[];
  /** `atom^power = value` */
  relation?: { power: number; value: Polynomial };
}

/** What the algebra of one pair shares: its atoms and the steps left. */
export interface Algebra {
  atoms: Atom[];
  steps: Steps;
  /** depth of bound variables, to name them alike on both sides */
  bound: number;
  /** whether symbols stand for real numbers; without it |x| is not the root of x^2 */
  real: boolean;
}

/** A fresh algebra. */
export const newAlgebra = (steps: Steps, real = true): Algebra => ({ atoms: [], steps, bound: 0, real });

const key = (powers: Term["powers"]): string => powers.map(([a, e]) => `${a}^${e}`).join(" ");

/** The polynomial of one term. */
export function monomial(coefficient: Rational, powers: Term["powers"] = []): Polynomial {
  return coefficient.num === 0n ? new Map() : new Map([[key(powers), { coefficient, powers }]]);
}

const UNIT = monomial(ONE);

export const fraction = (num: Polynomial, den: Polynomial = UNIT): Fraction => ({ num, den });
export const fromRational = (a: Rational): Fraction => fraction(monomial(a));
export const fromInteger = (a: bigint | number): Fraction => fromRational(rational(a));
export const fromAtom = (atom: number, exponent = 1): Fraction => fraction(monomial(ONE, [[atom, exponent]]));

/** The value of a polynomial without atoms, or null. */
export function constantOf(p: Polynomial): Rational | null {
  if (p.size === 0) return rational(0n);
  const only = p.size === 1 ? p.values().next().value! : null;
  return only && only.powers.length === 0 ? only.coefficient : null;
}

/** The value of a fraction without atoms, or null. Denominators that are constant are always 1 (see {@linkcode simplify}). */
export function rationalOf(f: Fraction): Rational | null {
  return constantOf(f.den) ? constantOf(f.num) : null;
}

export function addPolynomials(a: Polynomial, b: Polynomial, algebra: Algebra): Polynomial {
  spend(algebra.steps, b.size);
  const result = new Map(a);
  for (const [k, term] of b) accumulate(result, k, term);
  if (result.size > MAX_TERMS) throw new TooLarge("terms");
  return result;
}

function accumulate(into: Polynomial, k: string, term: Term): void {
  const old = into.get(k);
  if (!old) {
    into.set(k, term);
    return;
  }
  const coefficient = addRationals(old.coefficient, term.coefficient);
  if (coefficient.num === 0n) into.delete(k);
  else into.set(k, { coefficient, powers: term.powers });
}

export function scale(p: Polynomial, by: Rational): Polynomial {
  if (by.num === 0n) return new Map();
  if (equalRationals(by, ONE)) return p;
  return new Map(
    [...p].map(([k, t]) => [k, { coefficient: multiplyRationals(t.coefficient, by), powers: t.powers }]),
  );
}

/** The product, reduced by the relations of its atoms. */
export function multiplyPolynomials(a: Polynomial, b: Polynomial, algebra: Algebra): Polynomial {
  spend(algebra.steps, a.size * b.size * (1 + (width(a) + width(b)) / 8) + 1);
  const ca = constantOf(a);
  if (ca) return scale(b, ca);
  const cb = constantOf(b);
  if (cb) return scale(a, cb);
  const result: Polynomial = new Map();
  let related = false;
  for (const s of a.values()) {
    for (const t of b.values()) {
      const powers = mergePowers(s.powers, t.powers);
      related ||= powers.some(([atom, e]) => e >= (algebra.atoms[atom].relation?.power ?? Infinity));
      accumulate(result, key(powers), {
        coefficient: multiplyRationals(s.coefficient, t.coefficient),
        powers,
      });
    }
    if (result.size > MAX_TERMS) throw new TooLarge("terms");
  }
  return related ? reduce(result, algebra) : result;
}

/** Atoms in the last term: long terms take longer. */
function width(p: Polynomial): number {
  let last = 0;
  for (const term of p.values()) last = term.powers.length;
  return last;
}

function mergePowers(a: Term["powers"], b: Term["powers"]): Term["powers"] {
  const result: Term["powers"] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j === b.length || (i < a.length && a[i][0] < b[j][0])) result.push(a[i++]);
    else if (i === a.length || b[j][0] < a[i][0]) result.push(b[j++]);
    else {
      const exponent = a[i][1] + b[j++][1];
      if (exponent > 5000) throw new TooLarge("exponent");
      result.push([a[i++][0], exponent]);
    }
  }
  return result;
}

/** True if the polynomial, in free symbols alone, is the square of one: it then takes square values at random points. */
export function isSquare(p: Polynomial, g: Algebra): boolean {
  for (let k = 0; k < 3; k++) {
    let sum = rational(0n);
    for (const term of p.values()) {
      spend(g.steps);
      let product = term.coefficient;
      for (const [atom, exponent] of term.powers) {
        if (!g.atoms[atom].head.startsWith("symbol ")) return false;
        product = multiplyRationals(
          product,
          powerRational(rational(1009 + 977 * atom + 331 * k, 7 + k), BigInt(exponent)),
        );
      }
      sum = addRationals(sum, product);
    }
    if (sum.num < 0n || !isSquareInteger(sum.num) || !isSquareInteger(sum.den)) return false;
  }
  return true;
}

function isSquareInteger(n: bigint): boolean {
  if (n < 2n) return true;
  let x = 1n << BigInt(Math.ceil(bits(n) / 2));
  for (let y = (x + n / x) / 2n; y < x; y = (x + n / x) / 2n) x = y;
  return x * x === n;
}

/** Replaces each `atom^n` that a relation knows, until none is left. */
function reduce(p: Polynomial, algebra: Algebra): Polynomial {
  let result: Polynomial = new Map();
  for (const term of p.values()) {
    spend(algebra.steps);
    const at = term.powers.findIndex(([atom, e]) => e >= (algebra.atoms[atom].relation?.power ?? Infinity));
    if (at < 0) {
      accumulate(result, key(term.powers), term);
      continue;
    }
    const [atom, exponent] = term.powers[at];
    const { power, value } = algebra.atoms[atom].relation!;
    const rest = term.powers.filter((_, k) => k !== at);
    const left = exponent % power;
    let product = monomial(term.coefficient, left === 0 ? rest : mergePowers(rest, [[atom, left]]));
    product = multiplyPolynomials(
      product,
      powerPolynomial(value, Math.floor(exponent / power), algebra),
      algebra,
    );
    result = addPolynomials(result, product, algebra);
  }
  return result;
}

export function powerPolynomial(p: Polynomial, exponent: number, algebra: Algebra): Polynomial {
  if (exponent > 400 && p.size > 1) throw new TooLarge("power of a sum");
  let result = UNIT;
  let square = p;
  for (let e = exponent; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = multiplyPolynomials(result, square, algebra);
    if (e > 1) square = multiplyPolynomials(square, square, algebra);
  }
  return result;
}

/** Puts a constant denominator into the numerator. Throws Undecidable for a zero denominator. */
export function simplify(f: Fraction): Fraction {
  if (f.den.size === 0) throw new Undecidable("zero denominator");
  const c = constantOf(f.den);
  if (!c || equalRationals(c, ONE)) return f;
  return fraction(scale(f.num, rational(c.den, c.num)));
}

const sameText = (a: Polynomial, b: Polynomial): boolean =>
  a === b || (a.size === b.size && [...a].every(([k, t]) => {
    const other = b.get(k);
    return other !== undefined && equalRationals(t.coefficient, other.coefficient);
  }));

export function addFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  if (sameText(a.den, b.den)) return simplify(fraction(addPolynomials(a.num, b.num, g), a.den));
  const num = addPolynomials(multiplyPolynomials(a.num, b.den, g), multiplyPolynomials(b.num, a.den, g), g);
  return simplify(fraction(num, multiplyPolynomials(a.den, b.den, g)));
}

export const negateFraction = (a: Fraction): Fraction => fraction(scale(a.num, rational(-1n)), a.den);
export const scaleFraction = (a: Fraction, by: Rational): Fraction => fraction(scale(a.num, by), a.den);

export function multiplyFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  return simplify(fraction(multiplyPolynomials(a.num, b.num, g), multiplyPolynomials(a.den, b.den, g)));
}

export function divideFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  if (b.num.size === 0) throw new Undecidable("division by zero");
  return multiplyFractions(a, fraction(b.den, b.num), g);
}

export function powerFraction(f: Fraction, exponent: number, g: Algebra): Fraction {
  if (exponent < 0) return powerFraction(divideFractions(fraction(UNIT), f, g), -exponent, g);
  return simplify(fraction(powerPolynomial(f.num, exponent, g), powerPolynomial(f.den, exponent, g)));
}

/** True if the two are proved equal. */
export function equalFractions(a: Fraction, b: Fraction, g: Algebra): boolean {
  if (sameText(a.num, b.num) && sameText(a.den, b.den)) return true;
  const left = multiplyPolynomials(a.num, b.den, g);
  const right = multiplyPolynomials(b.num, a.den, g);
  return addPolynomials(left, scale(right, negateRational(ONE)), g).size === 0;
}
