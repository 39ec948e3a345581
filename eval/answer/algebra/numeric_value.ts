/** Double-precision values of expressions: a quick way to see that two differ. It never decides that two are equal. */
import { MAX_SUM_TERMS, spend, type Steps } from "../budget.ts";
import { type Node, number } from "../node.ts";
import { type Rational, rational, toNumber } from "../rational.ts";
import {
  addComplex,
  type Complex,
  divideComplex,
  expComplex,
  lnComplex,
  modulus,
  multiplyComplex,
  NONE,
  real,
} from "./complex.ts";
import { inRadians } from "./in_radians.ts";
import { mentionsInSubscript, substitute } from "./substitute.ts";

/** Values of symbols and opaque parts, by name. */
export type Point = Map<string, Rational>;

/** How to evaluate: `complex` lets roots and logarithms of negatives be complex; without it they have no value. */
interface Evaluation {
  point: Point;
  complex: boolean;
  steps: Steps;
}

/** A node in doubles takes this part of a step of exact algebra. */
const STEP = 0.25;

/** The value of an expression at a point; NaN where it has none or the rules do not know it. */
export function numericValue(node: Node, at: Evaluation): Complex {
  spend(at.steps, STEP);
  switch (node.kind) {
    case "number":
      return real(toNumber(node.value));
    case "symbol":
      return symbolValue(node.name, node.constant === true, at);
    case "percent":
      return multiplyComplex(numericValue(node.value, at), real(0.01));
    case "unit":
      return node.unit === "deg" ? numericValue(node.value, at) : NONE;
    case "based":
      return NONE;
    case "apply":
      return applied(node.op, node.args, at);
    default:
      return NONE;
  }
}

function symbolValue(name: string, constant: boolean, at: Evaluation): Complex {
  if (constant) {
    return name === "pi"
      ? real(Math.PI)
      : name === "e"
      ? real(Math.E)
      : name === "i"
      ? { re: 0, im: 1 }
      : NONE;
  }
  const value = at.point.get(name);
  return value ? real(toNumber(value)) : NONE;
}

function applied(op: string, args: Node[], at: Evaluation): Complex {
  if (op === "sum" || op === "prod") return bounded(op, args, at);
  if (op === "power" || op === "root") return power(args, op === "root", at);
  if (/^(?:sin|cos|tan|cot|sec|csc)$/.test(op)) {
    return trigonometric(op, numericValue(inRadians(args[0]), at));
  }
  const v = args.map((a) => numericValue(a, at));
  switch (op) {
    case "add":
      return v.reduce(addComplex);
    case "multiply":
      return v.reduce(multiplyComplex);
    case "divide":
      return divideComplex(v[0], v[1]);
    case "negate":
      return { re: -v[0].re, im: -v[0].im };
    case "exp":
      return expComplex(v[0]);
    case "ln":
      return admitted(lnComplex(v[0]), at);
    case "log":
      return admitted(divideComplex(lnComplex(v[0]), lnComplex(v[1])), at);
    case "abs":
      return real(modulus(v[0]));
  }
  // The rest are functions of real numbers.
  return v.every((x) => x.im === 0) ? real(realFunction(op, v.map((x) => x.re))) : NONE;
}

function admitted(a: Complex, at: Evaluation): Complex {
  return at.complex || a.im === 0 ? a : NONE;
}

function power([base, exponent]: Node[], root: boolean, at: Evaluation): Complex {
  const b = numericValue(base, at);
  const e = root ? divideComplex(real(1), numericValue(exponent, at)) : numericValue(exponent, at);
  if (b.im !== 0 || e.im !== 0) return at.complex ? expComplex(multiplyComplex(e, lnComplex(b))) : NONE;
  if (b.re === 0) return e.re > 0 ? real(0) : NONE;
  if (b.re > 0 || Number.isInteger(e.re)) return real(b.re ** e.re);
  // Odd roots of negatives are real, as in schoolbooks.
  const odd = oddRoot(exponent, root);
  if (odd !== null) return real((odd % 2 === 0 ? 1 : -1) * (-b.re) ** e.re);
  return at.complex ? expComplex(multiplyComplex(e, lnComplex(b))) : NONE;
}

/** The numerator of an exponent p/q with odd q, or null. */
function oddRoot(exponent: Node, root: boolean): number | null {
  let node = exponent;
  if (node.kind === "apply" && node.op === "negate") node = node.args[0];
  if (node.kind === "number") {
    const [p, q] = root ? [node.value.den, node.value.num] : [node.value.num, node.value.den];
    return q % 2n !== 0n ? Number(p % 2n) : null;
  }
  if (root || node.kind !== "apply" || node.op !== "divide") return null;
  const [top, bottom] = node.args;
  if (top.kind !== "number" || bottom.kind !== "number") return null;
  const value = rational(top.value.num * bottom.value.den, top.value.den * bottom.value.num);
  return value.den % 2n !== 0n ? Number(value.num % 2n) : null;
}

function trigonometric(op: string, a: Complex): Complex {
  const sin: Complex = a.im === 0
    ? real(Math.sin(a.re))
    : { re: Math.sin(a.re) * Math.cosh(a.im), im: Math.cos(a.re) * Math.sinh(a.im) };
  const cos: Complex = a.im === 0
    ? real(Math.cos(a.re))
    : { re: Math.cos(a.re) * Math.cosh(a.im), im: -Math.sin(a.re) * Math.sinh(a.im) };
  if (op === "sin") return sin;
  if (op === "cos") return cos;
  if (op === "tan") return divideComplex(sin, cos);
  if (op === "cot") return divideComplex(cos, sin);
  return divideComplex(real(1), op === "sec" ? cos : sin);
}

const REAL: Record<string, (x: number) => number> = {
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  coth: (x) => 1 / Math.tanh(x),
  sech: (x) => 1 / Math.cosh(x),
  csch: (x) => 1 / Math.sinh(x),
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  arccot: (x) => Math.PI / 2 - Math.atan(x),
  arcsec: (x) => Math.acos(1 / x),
  arccsc: (x) => Math.asin(1 / x),
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  sign: Math.sign,
  sgn: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  factorial: (x) => gamma(x + 1),
};

/** A function of real numbers; NaN where it is not known or has no value. */
export function realFunction(op: string, x: number[]): number {
  if (op === "max") return Math.max(...x);
  if (op === "min") return Math.min(...x);
  if (op === "binomial") return gamma(x[0] + 1) / (gamma(x[1] + 1) * gamma(x[0] - x[1] + 1));
  return x.length === 1 && Object.hasOwn(REAL, op) ? REAL[op](x[0]) : NaN;
}

const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  const z = x - 1;
  let sum = LANCZOS[0];
  for (let k = 1; k < LANCZOS.length; k++) sum += LANCZOS[k] / (z + k);
  const t = z + 7.5;
  return Math.sqrt(2 * Math.PI) * t ** (z + 0.5) * Math.exp(-t) * sum;
}

function bounded(op: string, [variable, low, high, body]: Node[], at: Evaluation): Complex {
  if (mentionsInSubscript(body, (variable as { name: string }).name)) return NONE;
  const from = numericValue(low, at).re;
  const to = numericValue(high, at).re;
  if (!Number.isInteger(from) || !Number.isInteger(to) || to - from > MAX_SUM_TERMS) return NONE;
  let result = real(op === "sum" ? 0 : 1);
  for (let k = from; k <= to; k++) {
    const term = numericValue(substitute(body, (variable as { name: string }).name, number(rational(k))), at);
    result = op === "sum" ? addComplex(result, term) : multiplyComplex(result, term);
  }
  return result;
}
