/** Fractions of polynomials over atoms (see algebra.ts). */
import { Undecidable } from "../budget.ts";
import { equalRationals, negateRational, ONE, type Rational, rational } from "../rational.ts";
import type { Algebra, Fraction, Polynomial } from "./algebra.ts";
import {
  addPolynomials,
  constantOf,
  monomial,
  multiplyPolynomials,
  powerPolynomial,
  scale,
  UNIT,
} from "./polynomial.ts";

/** The quotient of two polynomials. */
export const fraction = (num: Polynomial, den: Polynomial = UNIT): Fraction => ({ num, den });

/** A number as a fraction. */
export const fromRational = (a: Rational): Fraction => fraction(monomial(a));

/** An integer as a fraction. */
export const fromInteger = (a: bigint | number): Fraction => fromRational(rational(a));

/** A power of an atom. */
export const fromAtom = (atom: number, exponent = 1): Fraction => fraction(monomial(ONE, [[atom, exponent]]));

/** The value of a fraction without atoms, or null. Denominators that are constant are always 1 (see {@linkcode simplify}). */
export function rationalOf(f: Fraction): Rational | null {
  return constantOf(f.den) ? constantOf(f.num) : null;
}

/** Puts a constant denominator into the numerator. Throws Undecidable for a zero denominator. */
function simplify(f: Fraction): Fraction {
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

/** The sum. */
export function addFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  if (sameText(a.den, b.den)) return simplify(fraction(addPolynomials(a.num, b.num, g), a.den));
  const num = addPolynomials(multiplyPolynomials(a.num, b.den, g), multiplyPolynomials(b.num, a.den, g), g);
  return simplify(fraction(num, multiplyPolynomials(a.den, b.den, g)));
}

/** The fraction with the other sign. */
export const negateFraction = (a: Fraction): Fraction => fraction(scale(a.num, rational(-1n)), a.den);

/** The product with a number. */
export const scaleFraction = (a: Fraction, by: Rational): Fraction => fraction(scale(a.num, by), a.den);

/** The product. */
export function multiplyFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  return simplify(fraction(multiplyPolynomials(a.num, b.num, g), multiplyPolynomials(a.den, b.den, g)));
}

/** The quotient. Throws Undecidable for a division by zero. */
export function divideFractions(a: Fraction, b: Fraction, g: Algebra): Fraction {
  if (b.num.size === 0) throw new Undecidable("division by zero");
  return multiplyFractions(a, fraction(b.den, b.num), g);
}

/** The power of an integer. */
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
