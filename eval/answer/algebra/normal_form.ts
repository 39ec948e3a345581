/** From an expression to exact algebra: a fraction of polynomials over atoms (see polynomial.ts). */
import {
  atom,
  content,
  factorRational,
  imaginary,
  logarithm,
  rootOf,
  sineCosine,
  soleAtom,
} from "./atoms.ts";
import { MAX_SUM_TERMS, spend, TooLarge, Undecidable } from "../budget.ts";
import { combinatorial } from "./combinatorial.ts";
import { mapChildren, type Node, number, some, symbol } from "../node.ts";
import {
  addFractions,
  type Algebra,
  constantOf,
  divideFractions,
  type Fraction,
  fraction,
  fromInteger,
  fromRational,
  monomial,
  multiplyFractions,
  negateFraction,
  powerFraction,
  rationalOf,
  scaleFraction,
} from "./polynomial.ts";
import { floorRational, isInteger, ONE, powerRational, type Rational, rational } from "../rational.ts";
import { SYMMETRIC } from "../parse/vocabulary.ts";

/** The fraction of an expression. Throws Undecidable for what has no place in exact algebra, TooLarge beyond the budgets. */
export function normalForm(node: Node, g: Algebra): Fraction {
  spend(g.steps);
  switch (node.kind) {
    case "number":
      return fromRational(node.value);
    case "symbol":
      if (node.constant) return constantForm(node.name, g);
      return atom(g, `symbol ${node.name}`);
    case "percent":
      return scaleFraction(normalForm(node.value, g), rational(1n, 100n));
    case "based":
      return atom(g, `based ${node.digits}_${node.base}`);
    case "unit":
      if (node.unit === "deg") return normalForm(node.value, g);
      throw new Undecidable("unit inside an expression");
    case "apply":
      return applyForm(node.op, node.args, g);
    default:
      throw new Undecidable(node.kind);
  }
}

function constantForm(name: string, g: Algebra): Fraction {
  if (name === "i") return imaginary(g);
  if (name === "pi") return atom(g, "pi");
  if (name === "e") return atom(g, "exp", [fromInteger(1)]);
  throw new Undecidable(name);
}

function applyForm(op: string, args: Node[], g: Algebra): Fraction {
  const form = (k: number) => normalForm(args[k], g);
  switch (op) {
    case "add":
      return args.map((a) => normalForm(a, g)).reduce((a, b) => addFractions(a, b, g));
    case "multiply":
      return args.map((a) => normalForm(a, g)).reduce((a, b) => multiplyFractions(a, b, g));
    case "divide":
      return divideFractions(form(0), form(1), g);
    case "negate":
      return negateFraction(form(0));
    case "power":
      return power(form(0), form(1), g);
    case "root":
      return power(form(0), divideFractions(fromInteger(1), form(1), g), g);
    case "exp":
      return exponential(form(0), g);
    case "ln":
      return logarithm(form(0), g);
    case "log":
      return divideFractions(logarithm(form(0), g), logarithm(form(1), g), g);
    case "sum":
    case "prod":
      return bounded(op, args, g);
  }
  if (/^(?:sin|cos|tan|cot|sec|csc)$/.test(op)) return trigonometric(op, args[0], g);
  const known = combinatorial(op, args.map((a) => normalForm(a, g)), g);
  if (known) return known;
  return opaque(op, args, g);
}

const ODD = new Set(["arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh"]);

function opaque(op: string, args: Node[], g: Algebra): Fraction {
  if (op === "plusminus" || op === "minusplus" || op === "pm" || op === "mp" || op === "mod") {
    throw new Undecidable(op);
  }
  const forms = args.map((a) => normalForm(a, g));
  if (SYMMETRIC.has(op) && forms.length === 2) {
    // The order of the arguments means nothing: found again in either one.
    const before = g.atoms.length;
    const swapped = atom(g, op, [forms[1], forms[0]]);
    if (g.atoms.length === before) return swapped;
    g.atoms.pop();
  }
  return atom(g, op, forms, ODD.has(op) ? "odd" : op === "cosh" || op === "abs" ? "even" : "none");
}

function trigonometric(op: string, arg: Node, g: Algebra): Fraction {
  const { sin, cos } = sineCosine(normalForm(inRadians(arg), g), g);
  const one = fromInteger(1);
  switch (op) {
    case "sin":
      return sin;
    case "cos":
      return cos;
    case "tan":
      return divideFractions(sin, cos, g);
    case "cot":
      return divideFractions(cos, sin, g);
    case "sec":
      return divideFractions(one, cos, g);
    default:
      return divideFractions(one, sin, g);
  }
}

/** Writes degrees inside an angle as multiples of pi. */
export function inRadians(node: Node): Node {
  if (node.kind === "unit" && node.unit === "deg") {
    return {
      kind: "apply",
      op: "multiply",
      args: [node.value, number(rational(1n, 180n)), { kind: "symbol", name: "pi", constant: true }],
    };
  }
  return mapChildren(node, inRadians);
}

function power(base: Fraction, exponent: Fraction, g: Algebra): Fraction {
  const sole = soleAtom(base);
  const head = sole ? g.atoms[sole.atom] : null;
  if (head?.head === "exp") {
    return exponential(
      scaleFraction(multiplyFractions(head.args[0], exponent, g), rational(sole!.exponent)),
      g,
    );
  }
  const e = rationalOf(exponent);
  if (!e) return symbolicPower(base, exponent, g);
  const value = rationalOf(base);
  if (value && isInteger(e)) {
    if (value.num === 0n && e.num <= 0n) throw new Undecidable("zero to the zero");
    return fromRational(powerRational(value, e.num));
  }
  if (e.num > 5000n || e.num < -5000n) throw new TooLarge("exponent");
  if (isInteger(e)) {
    if (e.num === 0n && base.num.size === 0) throw new Undecidable("zero to the zero");
    return powerFraction(base, Number(e.num), g);
  }
  if (e.den > 60n) throw new TooLarge("root");
  return powerFraction(rootOf(base, Number(e.den), g), Number(e.num), g);
}

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
    if (coefficient.num > 5000n || coefficient.num < -5000n) throw new TooLarge("exponent");
    const constantPart = rationalOf(part) !== null;
    const factor = constantPart
      ? power(base, fromRational(coefficient), g)
      : powerFraction(atom(g, head, [base, unit]), Number(coefficient.num), g);
    result = multiplyFractions(result, factor, g);
  }
  return result;
}

/** `e^f`, split over the terms of f; `e^(i x)` is cos x + i sin x. */
function exponential(f: Fraction, g: Algebra): Fraction {
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
      if (coefficient.num > 5000n || coefficient.num < -5000n) throw new TooLarge("exponent");
      const unit = atom(g, "exp", [scaleFraction(part, rational(1n, coefficient.den))]);
      result = multiplyFractions(result, powerFraction(unit, Number(coefficient.num), g), g);
    }
  }
  return result;
}

/** A finite sum or product: written out between integers, else an atom in a bound variable named by its depth. */
function bounded(op: string, [variable, low, high, body]: Node[], g: Algebra): Fraction {
  const from = rationalOf(normalForm(low, g));
  const to = rationalOf(normalForm(high, g));
  const name = (variable as { name: string }).name;
  if (mentionsInSubscript(body, name)) {
    // a_k is another name for each k: the sum stays as it is written.
    return atom(g, `${op} over ${name}`, [normalForm(low, g), normalForm(high, g), normalForm(body, g)]);
  }
  if (from && to) {
    const first = floorRational(from);
    const count = to.num - first;
    if (!isInteger(from) || !isInteger(to) || count > BigInt(MAX_SUM_TERMS)) {
      throw new TooLarge("terms of a sum");
    }
    let result = fromInteger(op === "sum" ? 0 : 1);
    for (let k = first; k <= to.num; k++) {
      spend(g.steps, 10);
      const term = normalForm(substitute(body, name, number(rational(k))), g);
      result = op === "sum" ? addFractions(result, term, g) : multiplyFractions(result, term, g);
    }
    return result;
  }
  g.bound++;
  const inner = normalForm(substitute(body, name, symbol(`bound ${g.bound}`)), g);
  g.bound--;
  return atom(g, `${op} ${g.bound}`, [normalForm(low, g), normalForm(high, g), inner]);
}

/** True if a subscript in the expression speaks of the variable: such a sum cannot be written out. */
export function mentionsInSubscript(node: Node, name: string): boolean {
  return some(
    node,
    (n) =>
      n.kind === "symbol" && n.name !== name && n.name.slice(n.name.indexOf("_") + 1).includes(name) &&
      n.name.includes("_"),
  );
}

/** The expression with every `name` replaced, in subscripts not. */
export function substitute(node: Node, name: string, by: Node): Node {
  if (node.kind === "symbol") return node.name === name ? by : node;
  return mapChildren(node, (part) => substitute(part, name, by));
}
