/**
 * Values of a template as Python has them. @huggingface/jinja 0.5.11 prints them as JSON does (`true`, `"a"`, nothing for None), compares
 * them as JavaScript's `==` does, and counts UTF-16 units.
 *
 * @module
 */
import { Environment, Interpreter } from "@huggingface/jinja";

/** A value of the library's interpreter; its `type` tells of which class. */
export type Value = ReturnType<Interpreter["evaluate"]>;

type Class = new (inside: unknown) => Value;
type Call = (args: Value[], scope: Environment) => Value;

const library = new Interpreter(new Environment());
const classOf = (sample: unknown): Class =>
  new Environment().set("sample", sample).constructor as unknown as Class;
const literal = (type: string, value: unknown): Class =>
  library.evaluate({ type, value } as never, library.global).constructor as unknown as Class;

const [Text, Bool, None, Undefined, Call] = ["", true, null, undefined, () => {}].map(classOf);
const [Int, Float, List, Map_] = [1, 1.5, [], {}].map(classOf);
const Tuple = literal("TupleLiteral", []);

/** The class of texts, whose methods jinja_methods.ts replaces. */
export const TextValue: Class = Text;

/** Makes values. */
export const make = {
  text: (inside: string): Value => new Text(inside),
  bool: (inside: boolean): Value => new Bool(inside),
  int: (inside: number): Value => new Int(inside),
  float: (inside: number): Value => new Float(inside),
  none: (): Value => new None(null),
  nothing: (): Value => new Undefined(undefined),
  list: (inside: Value[]): Value => new List(inside),
  tuple: (inside: Value[]): Value => new Tuple(inside),
  map: (inside: Map<string, Value>): Value => new Map_(inside),
  call: (inside: Call): Value => new Call(inside),
  texts: (inside: string[]): Value => new List(inside.map((one) => new Text(one))),
};

/** What a value is. */
export const is = {
  text: (value: Value): boolean => value.type === "StringValue",
  bool: (value: Value): boolean => value.type === "BooleanValue",
  int: (value: Value): boolean => value.type === "IntegerValue",
  float: (value: Value): boolean => value.type === "FloatValue",
  none: (value: Value): boolean => value.type === "NullValue",
  nothing: (value: Value): boolean => value.type === "UndefinedValue",
  list: (value: Value): boolean => value.type === "ArrayValue" || value.type === "TupleValue",
  tuple: (value: Value): boolean => value.type === "TupleValue",
  map: (value: Value): boolean => value.type === "ObjectValue" || value.type === "KeywordArgumentsValue",
  /** Python's booleans are numbers. */
  number: (value: Value): boolean => is.int(value) || is.float(value) || is.bool(value),
};

/** What is in a text. */
export const textIn = (value: Value): string => value.value as string;
/** What is in a number; a boolean's is 0 or 1. */
export const numberIn = (value: Value): number => Number(value.value);
/** What is in a list or a tuple. */
export const listIn = (value: Value): Value[] => value.value as Value[];
/** What is in a map or a namespace. */
export const mapIn = (value: Value): Map<string, Value> => value.value as Map<string, Value>;
/** Python's truth. */
export const isTrue = (value: Value): boolean => value.__bool__().value;

/** Characters of a text at any time. */
export const MOST_TEXT = 2 ** 22;

/**
 * A text with more behind it.
 * @throws Error if it grows too long
 */
export function grown(text: string, more: string): string {
  if (text.length + more.length <= MOST_TEXT) return text + more;
  throw new Error(`it makes a text of more than ${MOST_TEXT} characters`);
}

/** What a message calls a value's class. */
export const kindOf = (value: Value): string => value.type.replace(/Value$/, "").toLowerCase();

/** Python's `str`. */
export function str(value: Value): string {
  if (is.text(value)) return textIn(value);
  return is.nothing(value) ? "" : repr(value);
}

/** Python's `repr`. */
export function repr(value: Value): string {
  if (is.text(value)) return quoted(textIn(value));
  if (is.bool(value)) return value.value ? "True" : "False";
  if (is.none(value)) return "None";
  if (is.nothing(value)) return "Undefined";
  if (is.int(value)) return integer(numberIn(value));
  if (is.float(value)) return real(numberIn(value));
  if (is.list(value)) {
    const items = listIn(value).map(repr).join(", ");
    if (!is.tuple(value)) return `[${items}]`;
    return listIn(value).length === 1 ? `(${items},)` : `(${items})`;
  }
  if (is.map(value)) {
    return `{${[...mapIn(value)].map(([key, item]) => `${quoted(key)}: ${repr(item)}`).join(", ")}}`;
  }
  throw new Error(`a ${kindOf(value)} cannot be printed`);
}

const integer = (n: number) => Number.isSafeInteger(n) ? String(n) : BigInt(n).toString();

/** As Python writes floats: 2.0, 1e+16, 1e-05. */
function real(n: number): string {
  if (!Number.isFinite(n)) return Number.isNaN(n) ? "nan" : n > 0 ? "inf" : "-inf";
  if (Object.is(n, -0)) return "-0.0";
  const size = Math.abs(n);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    return n.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
  }
  return Number.isInteger(n) ? `${n}.0` : String(n);
}

// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x1f\x7f-\xa0\xad]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const letters = Array.from(text, (character) => {
    if (character === quote) return `\\${quote}`;
    if (NAMED[character] !== undefined) return NAMED[character];
    if (character === " " || !UNPRINTABLE.test(character)) return character;
    const code = character.codePointAt(0)!;
    const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(width as number, "0")}`;
  });
  return `${quote}${letters.join("")}${quote}`;
}

/** Python's `==`. */
export function areEqual(a: Value, b: Value): boolean {
  if (is.number(a) && is.number(b)) return numberIn(a) === numberIn(b);
  if (is.list(a) && is.list(b)) {
    const [ours, theirs] = [listIn(a), listIn(b)];
    return is.tuple(a) === is.tuple(b) && ours.length === theirs.length &&
      ours.every((item, i) => areEqual(item, theirs[i]));
  }
  if (is.map(a) && is.map(b)) {
    const [ours, theirs] = [mapIn(a), mapIn(b)];
    return ours.size === theirs.size &&
      [...ours].every(([key, item]) => theirs.has(key) && areEqual(item, theirs.get(key)!));
  }
  return a.type === b.type && a.value === b.value;
}

/** Python's order, below 0 for less. */
export function compare(a: Value, b: Value): number {
  if (is.number(a) && is.number(b)) return Math.sign(numberIn(a) - numberIn(b));
  if (is.text(a) && is.text(b)) return compareTexts(textIn(a), textIn(b));
  if (is.list(a) && is.list(b) && is.tuple(a) === is.tuple(b)) {
    const [ours, theirs] = [listIn(a), listIn(b)];
    const at = ours.findIndex((item, i) => i >= theirs.length || !areEqual(item, theirs[i]));
    if (at < 0) return ours.length - theirs.length;
    return at < theirs.length ? compare(ours[at], theirs[at]) : 1;
  }
  throw new Error(`${kindOf(a)} and ${kindOf(b)} have no order`);
}

/** By code points; UTF-16 has those beyond 0xffff before some others. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [ours, theirs] = [Array.from(a), Array.from(b)];
  const at = ours.findIndex((character, i) => character !== theirs[i]);
  if (at < 0) return -1;
  if (at >= theirs.length) return 1;
  return ours[at].codePointAt(0)! - theirs[at].codePointAt(0)!;
}

/** What Python iterates over; a value that is not there has nothing. */
export function itemsOf(value: Value): Value[] {
  if (is.list(value)) return listIn(value);
  if (is.text(value)) return Array.from(textIn(value), make.text);
  if (is.map(value)) return Array.from(mapIn(value).keys(), make.text);
  if (is.nothing(value)) return [];
  throw new Error(`a ${kindOf(value)} has no items to go through`);
}

/** Python's `in`. */
export function contains(whole: Value, part: Value): boolean {
  if (is.text(whole)) {
    if (is.text(part)) return textIn(whole).includes(textIn(part));
    throw new Error(`a ${kindOf(part)} cannot be looked for in a text`);
  }
  return itemsOf(whole).some((item) => areEqual(item, part));
}
