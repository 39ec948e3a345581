/** Powers, roots and exponentials in exact algebra. */
import { TooLarge, Undecidable } from "../budget.ts";
import {
  absoluteRational,
  bits,
  isInteger,
  ONE,
  powerRational,
  type Rational,
  rational,
} from "../rational.ts";
import { type Algebra, type Fraction, mostExponent } from "./algebra.ts";
import { atom, content, factorRational, imaginary, rootOf, sineCosine, soleAtom } from "./atoms.ts";
import {
  addFractions,
  fraction,
  fromInteger,
  fromRational,
  multiplyFractions,
  powerFraction,
  rationalOf,
  scaleFraction,
} from "./fraction.ts";
import { constantOf, monomial } from "./polynomial.ts";

/** `base^exponent`, whatever is in the exponent. */
export function power(base: Fraction, exponent: Fraction, g: Algebra): Fraction {
  const sole = soleAtom(base);
  const head = sole ? g.atoms[sole.atom] : null;
  if (head?.head === "exp") {
    return exponential(
      scaleFraction(multiplyFractions(head.args[0], exponent, g), rational(sole!.exponent)),
      g,
    );
  }
  const e = rationalOf(exponent);
  const most = BigInt(mostExponent(g));
  if (g.large && e && isInteger(e) && e.num >= -most && e.num <= most) {
    const whole = largePower(base, e.num, g);
    if (whole) return whole;
  }
  if (!e) return symbolicPower(base, exponent, g);
  const value = rationalOf(base);
  if (value && isInteger(e)) {
    if (value.num === 0n && e.num <= 0n) throw new Undecidable("zero to the zero");
    return fromRational(powerRational(value, e.num));
  }
  if (e.num > most || e.num < -most) throw new TooLarge("exponent");
  if (isInteger(e)) {
    if (e.num === 0n && base.num.size === 0) throw new Undecidable("zero to the zero");
    return powerFraction(base, Number(e.num), g);
  }
  if (e.den > 60n) throw new TooLarge("root");
  return powerFraction(rootOf(base, Number(e.den), g), Number(e.num), g);
}

/** A power of an integer over its primes, or of a sum as one thing; null for what is small enough. */
function largePower(base: Fraction, e: bigint, g: Algebra): Fraction | null {
  const value = rationalOf(base);
  const size = e < 0n ? -e : e;
  if (value === null) {
    return base.num.size > 1 && size > 8n ? powerFraction(atom(g, "sum", [base]), Number(e), g) : null;
  }
  if (value.num === 0n || size * BigInt(bits(value.num) + bits(value.den)) < LARGE_BITS) return null;
  let result = fromInteger(value.num < 0n && size % 2n === 1n ? -1 : 1);
  for (const [p, k] of factorRational(absoluteRational(value))) {
    result = multiplyFractions(
      result,
      powerFraction(atom(g, "prime", [fromInteger(p)]), Number(k * e), g),
      g,
    );
  }
  return result;
}

/** Powers with fewer binary digits are written out. */
const LARGE_BITS = 2000n;

/** The terms of an exponent: `c * m`, with m a monomial without coefficient (1 for the constant term). */
function exponentTerms(exponent: Fraction): { coefficient: Rational; part: Fraction }[] | null {
  if (!constantOf(exponent.den)) return null;
  return [...exponent.num.values()].map((t) => ({
    coefficient: t.coefficient,
    part: fraction(monomial(ONE, t.powers)),
  }));
}

/** `base^exponent` for an exponent with atoms: split over its terms, and over the rational content of the base. */
function symbolicPower(base: Fraction, exponent: Fraction, g: Algebra): Fraction {
  const { positive, rest } = content(base);
  if (base.num.size === 0) throw new Undecidable("zero to an unknown power");
  let result = fromInteger(1);
  for (const [p, e] of factorRational(positive)) {
    const prime = splitPower("power", fromInteger(p), scaleFraction(exponent, rational(e)), g);
    result = multiplyFractions(result, prime, g);
  }
  const value = rationalOf(rest);
  if (value && value.num === 1n && value.den === 1n) return result;
  return multiplyFractions(result, splitPower("power", rest, exponent, g), g);
}

/** `b^(2n + m/2 + 3)` as `(b^n)^2 (b^(m/2)) b^3`: true for every b, since only integers come out of an exponent. */
function splitPower(head: string, base: Fraction, exponent: Fraction, g: Algebra): Fraction {
  const terms = exponentTerms(exponent);
  if (!terms) return atom(g, head, [base, exponent]);
  let result = fromInteger(1);
  for (const { coefficient, part } of terms) {
    const unit = scaleFraction(part, rational(1n, coefficient.den));
    if (Math.abs(Number(coefficient.num)) > mostExponent(g)) throw new TooLarge("exponent");
    const constantPart = rationalOf(part) !== null;
    const factor = constantPart
      ? power(base, fromRational(coefficient), g)
      : powerFraction(atom(g, head, [base, unit]), Number(coefficient.num), g);
    result = multiplyFractions(result, factor, g);
  }
  return result;
}

/** `e^f`, split over the terms of f; `e^(i x)` is cos x + i sin x. */
export function exponential(f: Fraction, g: Algebra): Fraction {
  if (f.num.size === 0) return fromInteger(1);
  const terms = exponentTerms(f);
  if (!terms) return atom(g, "exp", [f]);
  const i = soleAtom(imaginary(g))!.atom;
  let result = fromInteger(1);
  for (const { coefficient, part } of terms) {
    const powers = part.num.values().next().value!.powers;
    if (powers.some(([a]) => a === i)) {
      const angle = fraction(monomial(coefficient, powers.filter(([a]) => a !== i)));
      const { sin, cos } = sineCosine(angle, g);
      result = multiplyFractions(result, addFractions(cos, multiplyFractions(imaginary(g), sin, g), g), g);
    } else {
      if (Math.abs(Number(coefficient.num)) > mostExponent(g)) throw new TooLarge("exponent");
      const unit = atom(g, "exp", [scaleFraction(part, rational(1n, coefficient.den))]);
      result = multiplyFractions(result, powerFraction(unit, Number(coefficient.num), g), g);
    }
  }
  return result;
}
