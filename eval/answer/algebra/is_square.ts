import { spend } from "../budget.ts";
import { addRationals, bits, multiplyRationals, powerRational, rational } from "../rational.ts";
import type { Algebra, Polynomial } from "./algebra.ts";

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
