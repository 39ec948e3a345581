import { Environment, Interpreter, parse, Template, tokenize } from "@huggingface/jinja";
import { installPythonSemantics } from "./jinja/jinja_interpreter.ts";
import { settleSource } from "./jinja/jinja_source.ts";
import { MOST_TEXT } from "./jinja/jinja_values.ts";
import { withDeadline } from "./with_deadline.ts";

/** Statements and expressions that a template may evaluate; those of known models need some thousands. */
const MOST_STEPS = 1_000_000;
/** Items of a list at any time. */
const MOST_ITEMS = 100_000;
/** Of a template's own text: the longest that are known have 20,000. */
const MOST_SOURCE = 2 ** 20;

const READING = "read the model's chat template";

/**
 * Reads a template of Jinja.
 *
 * @throws Error that says what is wrong with it
 */
export function readTemplate(source: string): Template {
  if (source.length > MOST_SOURCE) {
    throw new Error(`it has ${source.length} characters, at most ${MOST_SOURCE} are possible`);
  }
  return withDeadline(2000, READING, () => {
    const template = new Template("");
    template.parsed = parse(tokenize(settleSource(source)));
    return template;
  });
}

/**
 * Renders a template within limits of steps, lengths and time: it comes with a model, and may be made to fill time and memory.
 *
 * @throws Error that says which limit it leaves, or what it raises itself
 */
export function renderWithin(template: Template, values: Record<string, unknown>): string {
  steps = 0;
  return withDeadline(2000, "render the model's chat template", () => template.render(values));
}

let steps = 0;

installPythonSemantics();

// The library has no limits of its own, and no place to put them but the methods that all globals and every step pass.
const set = Environment.prototype.set;
Environment.prototype.set = function (name, value) {
  return set.call(this, name, name === "range" ? range : value);
};

const evaluate = Interpreter.prototype.evaluate;
Interpreter.prototype.evaluate = function (statement, environment) {
  if (++steps > MOST_STEPS) throw new Error(`it takes more than ${MOST_STEPS} steps`);
  const value = evaluate.call(this, statement, environment);
  const inside: unknown = value.value;
  if (typeof inside === "string" && inside.length > MOST_TEXT) {
    throw new Error(`it makes a text of more than ${MOST_TEXT} characters`);
  }
  if (Array.isArray(inside)) refuseLong(inside.length);
  return value;
};

/** As Python's, in place of the library's, which makes lists of any length. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined || stop === null ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new Error("range() takes whole numbers, and no step of 0");
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  refuseLong(length);
  return Array.from({ length }, (_, i) => from + i * step);
}

function refuseLong(length: number): void {
  if (length > MOST_ITEMS) {
    throw new Error(`it makes a list of ${length} items, at most ${MOST_ITEMS} are possible`);
  }
}
