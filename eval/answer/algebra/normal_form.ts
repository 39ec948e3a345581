/** From an expression to exact algebra: a fraction of polynomials over atoms (see polynomial.ts). */
import { MAX_SUM_TERMS, spend, TooLarge, Undecidable } from "../budget.ts";
import { type Node, number, symbol } from "../node.ts";
import { SYMMETRIC } from "../parse/vocabulary.ts";
import { floorRational, isInteger, rational } from "../rational.ts";
import type { Algebra, Fraction } from "./algebra.ts";
import { atom, imaginary, logarithm, sineCosine } from "./atoms.ts";
import { combinatorial } from "./combinatorial.ts";
import {
  addFractions,
  divideFractions,
  fromInteger,
  fromRational,
  multiplyFractions,
  negateFraction,
  rationalOf,
  scaleFraction,
} from "./fraction.ts";
import { inRadians } from "./in_radians.ts";
import { exponential, power } from "./power.ts";
import { mentionsInSubscript, substitute } from "./substitute.ts";

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

/** A finite sum or product: written out between integers, else an atom in a bound variable named by its depth. */
function bounded(op: string, [variable, low, high, body]: Node[], g: Algebra): Fraction {
  if (high.kind === "symbol" && high.constant && high.name === "infinity") {
    return endless(op, variable, low, body, g);
  }
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

/** A sum or product without end, as an atom; from zero on, so that 1/k from 1 and 1/(k + 1) from 0 are one. */
function endless(op: string, variable: Node, low: Node, body: Node, g: Algebra): Fraction {
  const { name } = variable as { name: string };
  if (mentionsInSubscript(body, name)) throw new Undecidable("subscripts of a sum without end");
  const index: Node = { kind: "apply", op: "add", args: [symbol(`bound ${++g.bound}`), low] };
  const inner = normalForm(substitute(body, name, index), g);
  g.bound--;
  return atom(g, `${op} without end ${g.bound}`, [inner]);
}
