/** Exact rules for factorials, binomials, absolute values, floors and the like. */
import { TooLarge, Undecidable } from "../budget.ts";
import {
  absoluteRational,
  addRationals,
  bigGcd,
  compareRationals,
  floorRational,
  isInteger,
  negateRational,
  type Rational,
  rational,
} from "../rational.ts";
import type { Algebra, Fraction } from "./algebra.ts";
import { atom, content, rootOf } from "./atoms.ts";
import {
  addFractions,
  divideFractions,
  fromInteger,
  fromRational,
  multiplyFractions,
  negateFraction,
  powerFraction,
  rationalOf,
  scaleFraction,
} from "./fraction.ts";
import { constantOf } from "./polynomial.ts";

/** Largest n whose factorial is written out. */
const MAX_FACTORIAL = 3000n;
/** Where only structure counts, larger factorials stay as they are. */
const LARGE_FACTORIAL = 200n;
/** Largest shift between factorials that are brought to a common one: (n + 3)! and n!. */
const MAX_SHIFT = 30n;

/** The value of `op(args)` where a rule knows it, or null. */
export function combinatorial(op: string, args: Fraction[], g: Algebra): Fraction | null {
  const values = args.map(rationalOf);
  switch (op) {
    case "factorial":
      return factorial(args[0], g);
    case "binomial":
      return binomial(args[0], args[1], g);
    case "abs":
      return absolute(args[0], g);
    case "floor":
      return floor(args[0], g);
    case "ceil":
      return negateFraction(floor(negateFraction(args[0]), g));
    case "max":
    case "min":
      if (!values.every((v) => v !== null)) return null;
      return fromRational(
        values.reduce((a, b) => (compareRationals(a!, b!) > 0) === (op === "max") ? a : b)!,
      );
    case "gcd":
    case "lcm":
      return values.every((v) => v !== null && isInteger(v) && v.num > 0n)
        ? divisor(op, values as Rational[])
        : null;
    default:
      return null;
  }
}

function divisor(op: string, values: Rational[]): Fraction {
  return fromInteger(
    values.map((v) => v.num).reduce((a, b) => op === "gcd" ? bigGcd(a, b) : a / bigGcd(a, b) * b),
  );
}

const factorials: bigint[] = [1n];

function factorialOf(n: bigint): bigint {
  if (n > MAX_FACTORIAL) throw new TooLarge("factorial");
  for (let k = factorials.length; k <= Number(n); k++) factorials.push(factorials[k - 1] * BigInt(k));
  return factorials[Number(n)];
}

/** The integer part of the constant term, where the denominator is constant. */
function integerShift(f: Fraction): bigint {
  if (!constantOf(f.den)) return 0n;
  const term = f.num.get("");
  return term ? floorRational(term.coefficient) : 0n;
}

/** n!, and (n + c)! as n! times the factors between. */
function factorial(f: Fraction, g: Algebra): Fraction {
  const value = rationalOf(f);
  if (value) {
    if (!isInteger(value) || value.num < 0n) throw new Undecidable("factorial of no natural number");
    if (g.large && value.num > LARGE_FACTORIAL) return largeFactorial(value.num, g);
    return fromInteger(factorialOf(value.num));
  }
  const shift = integerShift(f);
  if (shift > MAX_SHIFT || shift < -MAX_SHIFT) return atom(g, "factorial", [f]);
  const base = addFractions(f, fromInteger(-shift), g);
  let result = atom(g, "factorial", [base]);
  for (let k = 1n; k <= shift; k++) {
    result = multiplyFractions(result, addFractions(base, fromInteger(k), g), g);
  }
  for (let k = 0n; k > shift; k--) result = divideFractions(result, addFractions(base, fromInteger(k), g), g);
  return result;
}

/** n! over that of the next multiple of 64 below, so that neighbours are told apart and brought together. */
function largeFactorial(n: bigint, g: Algebra): Fraction {
  const base = n - n % 64n;
  let factors = 1n;
  for (let k = base + 1n; k <= n; k++) factors *= k;
  return multiplyFractions(fromInteger(factors), atom(g, "factorial", [fromInteger(base)]), g);
}

function binomial(n: Fraction, k: Fraction, g: Algebra): Fraction {
  const chosen = rationalOf(k);
  if (chosen && isInteger(chosen) && chosen.num >= 0n && chosen.num <= 40n) {
    let result = fromInteger(1);
    for (let j = 0n; j < chosen.num; j++) {
      result = multiplyFractions(result, addFractions(n, fromInteger(-j), g), g);
    }
    return divideFractions(result, fromInteger(factorialOf(chosen.num)), g);
  }
  const all = rationalOf(n);
  if (
    g.large && all && chosen && isInteger(all) && isInteger(chosen) && chosen.num > 0n &&
    all.num > LARGE_FACTORIAL
  ) {
    // The smaller of k and n - k: both choose alike.
    const other = addFractions(n, negateFraction(k), g);
    return atom(g, "binomial", [n, all.num < 2n * chosen.num ? other : k]);
  }
  const rest = factorial(addFractions(n, negateFraction(k), g), g);
  return divideFractions(factorial(n, g), multiplyFractions(factorial(k, g), rest, g), g);
}

function absolute(f: Fraction, g: Algebra): Fraction {
  const value = rationalOf(f);
  if (value) return fromRational(absoluteRational(value));
  // |x| is the root of x^2: so written, it meets other roots.
  if (g.real) return rootOf(powerFraction(f, 2, g), 2, g);
  const { positive, rest } = content(f);
  return scaleFraction(atom(g, "abs", [rest], "even"), positive);
}

function floor(f: Fraction, g: Algebra): Fraction {
  const value = rationalOf(f);
  if (value) return fromInteger(floorRational(value));
  const shift = integerShift(f);
  const inner = addFractions(f, fromRational(negateRational(addRationals(rational(shift), rational(0n)))), g);
  return addFractions(atom(g, "floor", [inner]), fromInteger(shift), g);
}
