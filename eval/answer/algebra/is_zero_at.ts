/** Values of exact fractions to more than a hundred digits: the test for zero where algebra alone proves nothing. */
import { spend, Undecidable } from "../budget.ts";
import { bits, floorRational, type Rational, rational } from "../rational.ts";
import type { Algebra, Fraction, Polynomial } from "./algebra.ts";
import { engineValue } from "./engine.ts";
import type { Point } from "./numeric_value.ts";

/** Fixed-point complex numbers: integers in units of 10^-160. */
interface Fixed {
  re: bigint;
  im: bigint;
}

const PLACES = 160;
const SCALE = 10n ** BigInt(PLACES);
/** Relative size below which a sum counts as zero: forty digits wider than rounding, fifty narrower than a true difference. */
const ZERO_DIGITS = 110n;
/** Binary digits of all coefficients together; with more, two values could agree to ZERO_DIGITS by chance. */
const MAX_COEFFICIENT_BITS = 280;

/** Values at one point, cached by atom. `complex` admits roots and logarithms of negatives. */
export interface Values {
  g: Algebra;
  point: Point;
  complex: boolean;
  known: Map<number, Fixed>;
  /** a stand-in value for functions nobody has defined, by atom */
  opaque: (atom: number) => Rational;
}

const toFixed = (a: Rational): Fixed => ({ re: a.num * SCALE / a.den, im: 0n });
const add = (a: Fixed, b: Fixed): Fixed => ({ re: a.re + b.re, im: a.im + b.im });
const multiply = (a: Fixed, b: Fixed): Fixed =>
  a.im === 0n && b.im === 0n ? { re: a.re * b.re / SCALE, im: 0n } : {
    re: (a.re * b.re - a.im * b.im) / SCALE,
    im: (a.re * b.im + a.im * b.re) / SCALE,
  };
const size = (a: Fixed): bigint => {
  const re = a.re < 0n ? -a.re : a.re;
  const im = a.im < 0n ? -a.im : a.im;
  return re > im ? re : im;
};

function divide(a: Fixed, b: Fixed): Fixed {
  const n = b.re * b.re + b.im * b.im;
  if (n === 0n) throw new Undecidable("division by zero");
  return { re: (a.re * b.re + a.im * b.im) * SCALE / n, im: (a.im * b.re - a.re * b.im) * SCALE / n };
}

/**
 * True if the polynomial is zero at the point, to 110 digits of its largest term.
 *
 * @throws Undecidable where a function has no value there, or where sizes leave the range that can be trusted
 */
export function isZeroAt(p: Polynomial, v: Values): boolean {
  const { sum, largest } = total(p, v, MAX_COEFFICIENT_BITS);
  if (largest < 10n ** BigInt(PLACES - 30)) throw new Undecidable("too small to tell from zero");
  return size(sum) * 10n ** ZERO_DIGITS < largest;
}

function total(p: Polynomial, v: Values, mostBits = Infinity): { sum: Fixed; largest: bigint } {
  let sum: Fixed = { re: 0n, im: 0n };
  let largest = 0n;
  let coefficientBits = 0;
  for (const term of p.values()) {
    coefficientBits += bits(term.coefficient.num) + bits(term.coefficient.den);
    if (coefficientBits > mostBits) {
      throw new Undecidable("coefficients too long to tell values apart");
    }
    let product = toFixed(term.coefficient);
    for (const [atom, exponent] of term.powers) {
      const value = atomValue(atom, v);
      for (let k = 0; k < exponent; k++) {
        spend(v.g.steps);
        product = multiply(product, value);
      }
    }
    sum = add(sum, product);
    if (size(product) > largest) largest = size(product);
  }
  return { sum, largest };
}

/** A real value and how far the true one may be from it. */
interface Decimal {
  value: Rational;
  error: Rational;
}

/** Of the largest term, what rounding can have taken away; of 160 digits some twenty are spared for it. */
const ROUNDING_DIGITS = 140n;

/**
 * The value of a fraction to some 140 digits of its largest term, so that terms may cancel.
 *
 * @returns null where the value is not real
 * @throws Undecidable where a function has no value, or where sizes leave the range that can be trusted
 */
export function decimalAt(f: Fraction, v: Values): Decimal | null {
  const [num, den] = [total(f.num, v), total(f.den, v)];
  const slack = (largest: bigint) => largest / 10n ** ROUNDING_DIGITS + 10n ** 10n;
  const [lostNum, lostDen] = [slack(num.largest), slack(den.largest)];
  if (size(den.sum) < lostDen * 10n ** 20n) throw new Undecidable("denominator near zero");
  const value = divide(num.sum, den.sum);
  const lost = (lostNum * SCALE + size(value) * lostDen) / size(den.sum) * 4n + 4n;
  const im = value.im < 0n ? -value.im : value.im;
  if (im > lost) return null;
  return { value: rational(value.re, SCALE), error: rational(lost, SCALE) };
}

/** Steps that one value from the engine takes: it is slower than exact algebra. */
const ENGINE_STEPS = 150;

const LOW = 10n ** BigInt(PLACES - 9);
const HIGH = 10n ** BigInt(PLACES + 9);

/** The value of an argument; sizes from 10^-9 to 10^9 (or zero) can be trusted, since no cancellation hides in them. */
function argument(f: Fraction, v: Values): Fixed {
  const num = total(f.num, v);
  const den = total(f.den, v);
  if (size(den.sum) * 10n ** 30n < den.largest) throw new Undecidable("denominator near zero");
  if (num.largest !== 0n && size(num.sum) * 10n ** 30n < num.largest) {
    throw new Undecidable("argument near zero");
  }
  const value = divide(num.sum, den.sum);
  if (size(value) !== 0n && (size(value) < LOW || size(value) > HIGH)) {
    throw new Undecidable("argument out of range");
  }
  return value;
}

function atomValue(atom: number, v: Values): Fixed {
  const known = v.known.get(atom);
  if (known) return known;
  spend(v.g.steps, ENGINE_STEPS);
  const value = compute(atom, v);
  if (!v.complex && value.im !== 0n) throw new Undecidable("no real value");
  if (size(value) !== 0n && (size(value) < LOW / 1000n || size(value) > HIGH * 1000n)) {
    throw new Undecidable("value out of range");
  }
  v.known.set(atom, value);
  return value;
}

function compute(number: number, v: Values): Fixed {
  const { head, args } = v.g.atoms[number];
  if (head === "i") return { re: 0n, im: SCALE };
  if (head === "pi") return ask("Pi");
  if (head.startsWith("symbol ")) {
    const value = v.point.get(head.slice(7));
    if (!value) throw new Undecidable(head);
    return toFixed(value);
  }
  if (head.startsWith("call:") || head.startsWith("based ")) return toFixed(v.opaque(number));
  const values = args.map((a) => argument(a, v));
  return functionValue(head, values);
}

const NAMES: Record<string, string> = {
  exp: "Exp",
  ln: "Ln",
  sin: "Sin",
  cos: "Cos",
  sinh: "Sinh",
  cosh: "Cosh",
  tanh: "Tanh",
  arcsin: "Arcsin",
  arccos: "Arccos",
  arctan: "Arctan",
  arccot: "Arccot",
  arcsinh: "Arsinh",
  arccosh: "Arcosh",
  arctanh: "Artanh",
  power: "Power",
};

function functionValue(head: string, values: Fixed[]): Fixed {
  const [x, y] = values;
  if (head === "abs" && x.im === 0n) return { re: x.re < 0n ? -x.re : x.re, im: 0n };
  if (head === "floor" && x.im === 0n) return { re: floorRational(rational(x.re, SCALE)) * SCALE, im: 0n };
  if ((head === "max" || head === "min") && x.im === 0n && y?.im === 0n) {
    return (x.re > y.re) === (head === "max") ? x : y;
  }
  if (head === "factorial" && x.im === 0n) return ask(["Gamma", ["Add", json(x), 1]]);
  const root = /^root (\d+)$/.exec(head);
  if (root) return ask(["Root", json(x), Number(root[1])]);
  if (Object.hasOwn(NAMES, head)) return ask([NAMES[head], ...values.map(json)]);
  throw new Undecidable(head);
}

function decimalText(a: bigint): string {
  const digits = (a < 0n ? -a : a).toString().padStart(PLACES + 1, "0");
  return `${a < 0n ? "-" : ""}${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
}

function json(a: Fixed): { num: string } | [string, ...unknown[]] {
  const re = { num: decimalText(a.re) };
  return a.im === 0n ? re : ["Add", re, ["Multiply", { num: decimalText(a.im) }, "ImaginaryUnit"]];
}

function ask(expression: string | [string, ...unknown[]]): Fixed {
  const value = engineValue(expression);
  if (!value) throw new Undecidable("no value");
  return { re: toFixed(value.re).re, im: toFixed(value.im).re };
}
