/**
 * Double-precision values with a bound of their error, so that digits lost by cancellation are seen to be lost. Real
 * numbers only.
 */
import { MAX_SUM_TERMS, spend, type Steps } from "../budget.ts";
import { type Node, number } from "../node.ts";
import { rational, toNumber } from "../rational.ts";
import { inRadians } from "./in_radians.ts";
import { type Point, realFunction } from "./numeric_value.ts";
import { mentionsInSubscript, substitute } from "./substitute.ts";

/** A value and how far the true one may be from it. NaN where there is no value, an infinite error where nothing is known. */
export interface Bounded {
  value: number;
  error: number;
}

/** One unit of rounding; functions of the platform are within a few. */
const UNIT = 2 ** -52;
const NONE: Bounded = { value: NaN, error: Infinity };

/** A value whose own rounding is added to the error. */
const rounded = (value: number, error: number, units = 1): Bounded => ({
  value,
  error: Number.isFinite(value) ? error + units * UNIT * Math.abs(value) + Number.MIN_VALUE : Infinity,
});

/** The value of a real expression at a point, with its error. */
export function boundedValue(node: Node, point: Point, steps: Steps): Bounded {
  spend(steps, 0.25);
  switch (node.kind) {
    case "number":
      return rounded(toNumber(node.value), 0);
    case "symbol": {
      if (node.constant) {
        return node.name === "pi" ? rounded(Math.PI, 0) : node.name === "e" ? rounded(Math.E, 0) : NONE;
      }
      const value = point.get(node.name);
      return value ? rounded(toNumber(value), 0) : NONE;
    }
    case "percent":
      return multiply(boundedValue(node.value, point, steps), rounded(0.01, 0));
    case "unit":
      return node.unit === "deg" ? boundedValue(node.value, point, steps) : NONE;
    case "apply":
      return applied(node, (n) => boundedValue(n, point, steps), steps);
    default:
      return NONE;
  }
}

const add = (a: Bounded, b: Bounded): Bounded => rounded(a.value + b.value, a.error + b.error);

const multiply = (a: Bounded, b: Bounded): Bounded =>
  rounded(a.value * b.value, Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error);

function divide(a: Bounded, b: Bounded): Bounded {
  const least = Math.abs(b.value) - b.error;
  if (!(least > 0)) return NONE;
  const value = a.value / b.value;
  return rounded(value, (a.error + Math.abs(value) * b.error) / least);
}

/** A power with a positive base, by the error of its logarithm. */
function power(a: Bounded, e: Bounded): Bounded {
  if (e.error <= UNIT * Math.abs(e.value) * 2 && Number.isInteger(e.value) && Math.abs(e.value) <= 64) {
    // Small integer exponents are products, whatever the sign of the base.
    let result: Bounded = { value: 1, error: 0 };
    for (let k = 0; k < Math.abs(e.value); k++) result = multiply(result, a);
    return e.value < 0 ? divide({ value: 1, error: 0 }, result) : result;
  }
  const least = a.value - a.error;
  if (!(least > 0)) return NONE;
  const value = a.value ** e.value;
  const relative = Math.abs(e.value) * a.error / least +
    (Math.abs(Math.log(a.value)) + a.error / least) * e.error;
  return rounded(value, Math.abs(value) * Math.expm1(relative), 4);
}

/** A function by its values at both ends of what its argument may be; right where it rises or falls in between. */
function monotonic(op: string, x: Bounded, f: (x: number) => number): Bounded {
  const value = f(x.value);
  const ends = [f(x.value - x.error), f(x.value + x.error)].map((end) => Math.abs(end - value));
  return Number.isNaN(value) || ends.some(Number.isNaN)
    ? NONE
    : rounded(value, Math.max(...ends), op === "factorial" ? 256 : 8);
}

function trigonometric(op: string, x: Bounded): Bounded {
  const sin = rounded(Math.sin(x.value), Math.min(2, x.error), 2);
  const cos = rounded(Math.cos(x.value), Math.min(2, x.error), 2);
  const one: Bounded = { value: 1, error: 0 };
  switch (op) {
    case "sin":
      return sin;
    case "cos":
      return cos;
    case "tan":
      return divide(sin, cos);
    case "cot":
      return divide(cos, sin);
    default:
      return divide(one, op === "sec" ? cos : sin);
  }
}

function applied(node: Node & { kind: "apply" }, of: (n: Node) => Bounded, steps: Steps): Bounded {
  const { op, args } = node;
  if (op === "sum" || op === "prod") return bounded(op, args, of, steps);
  if (/^(?:sin|cos|tan|cot|sec|csc)$/.test(op)) return trigonometric(op, of(inRadians(args[0])));
  const v = args.map(of);
  switch (op) {
    case "add":
      return v.reduce(add);
    case "multiply":
      return v.reduce(multiply);
    case "divide":
      return divide(v[0], v[1]);
    case "negate":
      return { value: -v[0].value, error: v[0].error };
    case "power":
      return power(v[0], v[1]);
    case "root":
      return power(v[0], divide({ value: 1, error: 0 }, v[1]));
    case "exp":
      return monotonic(op, v[0], Math.exp);
    case "ln":
      return v[0].value - v[0].error > 0 ? monotonic(op, v[0], Math.log) : NONE;
    case "log":
      return v.every((x) => x.value - x.error > 0)
        ? divide(monotonic(op, v[0], Math.log), monotonic(op, v[1], Math.log))
        : NONE;
    case "abs":
      return { value: Math.abs(v[0].value), error: v[0].error };
    case "max":
    case "min":
      return { value: realFunction(op, v.map((x) => x.value)), error: Math.max(...v.map((x) => x.error)) };
    case "binomial":
      return v.every((x) => x.error <= 4 * UNIT * x.value)
        ? rounded(realFunction(op, v.map((x) => x.value)), 0, 1024)
        : NONE;
  }
  return v.length === 1 ? monotonic(op, v[0], (x) => realFunction(op, [x])) : NONE;
}

function bounded(
  op: string,
  [variable, low, high, body]: Node[],
  of: (n: Node) => Bounded,
  steps: Steps,
): Bounded {
  const { name } = variable as { name: string };
  const [from, to] = [of(low).value, of(high).value];
  if (
    mentionsInSubscript(body, name) || !Number.isInteger(from) || !Number.isInteger(to) ||
    to - from > MAX_SUM_TERMS
  ) return NONE;
  let result: Bounded = { value: op === "sum" ? 0 : 1, error: 0 };
  for (let k = from; k <= to; k++) {
    spend(steps, 0.25);
    const term = of(substitute(body, name, number(rational(k))));
    result = op === "sum" ? add(result, term) : multiply(result, term);
  }
  return result;
}
