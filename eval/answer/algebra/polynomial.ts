/** Sums, products and powers of polynomials over atoms (see algebra.ts), reduced by the relations of the atoms. */
import { MAX_TERMS, spend, TooLarge } from "../budget.ts";
import {
  addRationals,
  equalRationals,
  multiplyRationals,
  ONE,
  type Rational,
  rational,
} from "../rational.ts";
import { type Algebra, mostExponent, type Polynomial, type Term } from "./algebra.ts";

const key = (powers: Term["powers"]): string => powers.map(([a, e]) => `${a}^${e}`).join(" ");

/** The polynomial of one term. */
export function monomial(coefficient: Rational, powers: Term["powers"] = []): Polynomial {
  return coefficient.num === 0n ? new Map() : new Map([[key(powers), { coefficient, powers }]]);
}

/** The polynomial 1. */
export const UNIT = monomial(ONE);

/** The value of a polynomial without atoms, or null. */
export function constantOf(p: Polynomial): Rational | null {
  if (p.size === 0) return rational(0n);
  const only = p.size === 1 ? p.values().next().value! : null;
  return only && only.powers.length === 0 ? only.coefficient : null;
}

/** The sum. */
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

/** The product with a number. */
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
  const most = mostExponent(algebra);
  let related = false;
  for (const s of a.values()) {
    for (const t of b.values()) {
      const powers = mergePowers(s.powers, t.powers, most);
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

function mergePowers(a: Term["powers"], b: Term["powers"], most: number): Term["powers"] {
  const result: Term["powers"] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j === b.length || (i < a.length && a[i][0] < b[j][0])) result.push(a[i++]);
    else if (i === a.length || b[j][0] < a[i][0]) result.push(b[j++]);
    else {
      const exponent = a[i][1] + b[j++][1];
      if (exponent > most) throw new TooLarge("exponent");
      result.push([a[i++][0], exponent]);
    }
  }
  return result;
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
    let product = monomial(
      term.coefficient,
      left === 0 ? rest : mergePowers(rest, [[atom, left]], mostExponent(algebra)),
    );
    product = multiplyPolynomials(
      product,
      powerPolynomial(value, Math.floor(exponent / power), algebra),
      algebra,
    );
    result = addPolynomials(result, product, algebra);
  }
  return result;
}

/** The power of a natural number. */
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
