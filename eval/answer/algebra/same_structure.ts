/**
 * Values too large to be written out, compared by what they are made of: factorials, binomials and powers stay as they
 * are, integers are products of primes. What cancels so is equal; nothing else is said.
 */
import { TooLarge, Undecidable } from "../budget.ts";
import type { Node } from "../node.ts";
import { multiplyRationals, powerRational, rational } from "../rational.ts";
import { type Algebra, newAlgebra, type Polynomial, type Term } from "./algebra.ts";
import { addFractions, negateFraction } from "./fraction.ts";
import { normalForm } from "./normal_form.ts";
import { addPolynomials, monomial } from "./polynomial.ts";

/** Steps that a pair gets once more: structure is small where values are large. */
const STRUCTURE_STEPS = 4000;
/** Largest power of a prime that is written out where terms differ by it. */
const MAX_REST = 2000;

/** True if the two are equal by their structure, whatever their values. */
export function sameStructure(a: Node, b: Node): boolean {
  const g: Algebra = { ...newAlgebra({ left: STRUCTURE_STEPS }, false), large: true };
  try {
    const difference = addFractions(normalForm(a, g), negateFraction(normalForm(b, g)), g).num;
    return difference.size === 0 || withoutCommon(difference, g).size === 0;
  } catch (error) {
    if (error instanceof TooLarge || error instanceof Undecidable || error instanceof RangeError) {
      return false;
    }
    throw error;
  }
}

/** The polynomial without the primes that all terms have, and with those that are left as numbers: 2 * 2^n - 2^(n+1). */
function withoutCommon(p: Polynomial, g: Algebra): Polynomial {
  const terms = [...p.values()];
  const isPrime = (atom: number) => g.atoms[atom].head === "prime";
  const powerIn = (term: Term, atom: number) => term.powers.find(([other]) => other === atom)?.[1] ?? 0;
  const least = new Map<number, number>();
  for (const [atom] of terms.flatMap((t) => t.powers).filter(([atom]) => isPrime(atom))) {
    least.set(atom, Math.min(...terms.map((t) => powerIn(t, atom))));
  }
  let result: Polynomial = new Map();
  for (const { coefficient, powers } of terms) {
    let value = coefficient;
    for (const [atom, exponent] of powers.filter(([atom]) => isPrime(atom))) {
      const rest = exponent - least.get(atom)!;
      if (rest > MAX_REST) throw new TooLarge("power");
      const prime = g.atoms[atom].args[0].num.values().next().value!.coefficient;
      value = multiplyRationals(value, powerRational(prime, BigInt(rest)));
    }
    const others = powers.filter(([atom]) => !isPrime(atom));
    result = addPolynomials(result, monomial(rational(value.num, value.den), others), g);
  }
  return result;
}
