/**
 * Exact algebra: fractions of polynomials with rational coefficients over "atoms" (symbols, roots, sines, ...). Atoms may
 * carry a relation `a^n = value`, such as `i^2 = -1`; products are reduced by it. If the difference of two fractions
 * reduces to zero, they are equal: a proof. If it does not, nothing is said, since atoms may depend on each other.
 */
import type { Steps } from "../budget.ts";
import type { Rational } from "../rational.ts";

/** One term: a coefficient times powers of atoms, in ascending order of their numbers. */
export interface Term {
  coefficient: Rational;
  powers: [atom: number, exponent: number][];
}

/** Terms by the text of their powers. */
export type Polynomial = Map<string, Term>;

/** A quotient of polynomials. */
export interface Fraction {
  num: Polynomial;
  den: Polynomial;
}

/** Something that algebra treats as a variable. */
interface Atom {
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
  /** large powers, factorials and binomials stay as they are (same_structure.ts) */
  large?: true;
}

/** The largest exponent of an atom; where only structure counts, what a double holds exactly. */
export const mostExponent = (g: Algebra): number => g.large ? 2 ** 52 : 5000;

/** A fresh algebra. */
export const newAlgebra = (steps: Steps, real = true): Algebra => ({ atoms: [], steps, bound: 0, real });
