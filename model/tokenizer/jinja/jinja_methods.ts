/**
 * Methods of texts as Python has them. Those of @huggingface/jinja 0.5.11 overlook arguments (`strip('x')`, `startswith('x', 1)`), take
 * JavaScript's white space for Python's, and leave the rest of a capitalised word as it is.
 *
 * @module
 */
import { is, itemsOf, kindOf, make, numberIn, str, textIn, TextValue, type Value } from "./jinja_values.ts";
import { WHITE } from "./jinja_source.ts";

type Method = (text: string, args: Value[]) => Value;

const textOr = (value: Value | undefined, or: string): string =>
  value === undefined || is.none(value) ? or : theText(value);

function theText(value: Value): string {
  if (value !== undefined && is.text(value)) return textIn(value);
  throw new Error(`a text is needed, not a ${value === undefined ? "missing argument" : kindOf(value)}`);
}

const escapeClass = (characters: string) => characters.replace(/[\\\]^-]/g, "\\$&");

/** Python's `strip`, `lstrip` and `rstrip`. */
export function strip(text: string, characters: Value | undefined, sides: "both" | "left" | "right"): string {
  const given = textOr(characters, "");
  const isNone = characters === undefined || is.none(characters);
  if (!isNone && given === "") return text;
  const some = `[${isNone ? WHITE : escapeClass(given)}]+`;
  const left = sides === "right" ? text : text.replace(new RegExp(`^${some}`, "u"), "");
  return sides === "left" ? left : left.replace(new RegExp(`${some}$`, "u"), "");
}

const LETTERS = /\p{L}[\p{L}\p{M}]*/gu;
const upperFirst = (word: string) => {
  const [first = "", ...rest] = Array.from(word);
  return first.toUpperCase() + rest.join("").toLowerCase();
};

/** Python's `title`: every run of letters. */
const title = (text: string): string => text.replace(LETTERS, upperFirst);

/** Python's `capitalize`. */
export const capitalize = upperFirst;

function split(text: string, [separator, most]: Value[]): string[] {
  const limit = most === undefined ? -1 : numberIn(most);
  if (separator !== undefined && !is.none(separator)) {
    const by = theText(separator);
    if (by === "") throw new Error("an empty text separates nothing");
    const parts = text.split(by);
    return limit < 0 || parts.length <= limit + 1
      ? parts
      : [...parts.slice(0, limit), parts.slice(limit).join(by)];
  }
  const parts: string[] = [];
  let rest = strip(text, undefined, "left");
  while (rest !== "") {
    if (parts.length === limit) return [...parts, rest];
    const [word] = new RegExp(`^[^${WHITE}]+`).exec(rest)!;
    parts.push(word);
    rest = strip(rest.slice(word.length), undefined, "left");
  }
  return parts;
}

const reversed = (text: string) => Array.from(text).reverse().join("");

function rsplit(text: string, [separator, most]: Value[]): string[] {
  const by = separator === undefined || is.none(separator)
    ? separator
    : make.text(reversed(theText(separator)));
  const args = [by ?? make.none(), ...(most === undefined ? [] : [most])];
  return split(reversed(text), args).map(reversed).reverse();
}

function partition(text: string, by: string, at: number, else_: (text: string) => string[]): Value {
  const parts = at < 0 ? else_(text) : [text.slice(0, at), by, text.slice(at + by.length)];
  return make.tuple(parts.map(make.text));
}

/** By code points, as Python counts. */
const sliced = (text: string, [from, to]: (Value | undefined)[]): string =>
  from === undefined
    ? text
    : Array.from(text).slice(numberIn(from), to === undefined ? undefined : numberIn(to)).join("");

const meets = (
  text: string,
  [wanted, ...range]: Value[],
  test: (text: string, part: string) => boolean,
): Value => {
  const part = sliced(text, range);
  const all = wanted !== undefined && is.list(wanted) ? itemsOf(wanted) : [wanted];
  return make.bool(all.some((one) => test(part, theText(one))));
};

/** Replaces the first `count` occurrences, all of them where it is left out or below 0. */
export function replace(text: string, from: string, to: string, count = -1): string {
  if (count < 0) return text.replaceAll(from, () => to);
  const parts = from === "" ? ["", ...Array.from(text), ""] : text.split(from);
  const most = Math.min(count, parts.length - 1);
  return parts.slice(1).reduce((out, part, i) => out + (i < most ? to : from) + part, parts[0]);
}

const countOf = (text: string, part: string) =>
  part === "" ? Array.from(text).length + 1 : text.split(part).length - 1;
const placeOf = (text: string, at: number) => make.int(at < 0 ? -1 : Array.from(text.slice(0, at)).length);
const all = (pattern: RegExp) => (text: string) => make.bool(pattern.test(text));
const hasCase = (text: string) => text.toLowerCase() !== text.toUpperCase();

/** Python's `format` with places and names, and without forms for numbers. */
function format(text: string, args: Value[]): Value {
  const last = args.at(-1);
  const named = last?.type === "KeywordArgumentsValue"
    ? last.value as Map<string, Value>
    : new Map<string, Value>();
  let next = 0;
  return make.text(text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (found, field?: string) => {
    if (found === "{{" || found === "}}") return found[0];
    const value = field === undefined || !/^\w*$/.test(field)
      ? undefined
      : /^\d*$/.test(field)
      ? args[field === "" ? next++ : Number(field)]
      : named.get(field);
    if (value !== undefined) return str(value);
    throw new Error(`format finds nothing for ${found}, or is asked for a form that is not read here`);
  }));
}

const METHODS: Readonly<Record<string, Method>> = {
  upper: (text) => make.text(text.toUpperCase()),
  lower: (text) => make.text(text.toLowerCase()),
  casefold: (text) => make.text(text.toLowerCase()),
  title: (text) => make.text(title(text)),
  capitalize: (text) => make.text(capitalize(text)),
  swapcase: (text) =>
    make.text(Array.from(text, (c) => c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()).join("")),
  strip: (text, [characters]) => make.text(strip(text, characters, "both")),
  lstrip: (text, [characters]) => make.text(strip(text, characters, "left")),
  rstrip: (text, [characters]) => make.text(strip(text, characters, "right")),
  split: (text, args) => make.texts(split(text, args)),
  rsplit: (text, args) => make.texts(rsplit(text, args)),
  splitlines: (text) => make.texts(text === "" ? [] : text.replace(/(\r\n?|\n)$/, "").split(/\r\n?|\n/)),
  partition: (text, [by]) =>
    partition(text, theText(by), text.indexOf(theText(by)), (whole) => [whole, "", ""]),
  rpartition: (text, [by]) =>
    partition(text, theText(by), text.lastIndexOf(theText(by)), (whole) => ["", "", whole]),
  startswith: (text, args) => meets(text, args, (whole, part) => whole.startsWith(part)),
  endswith: (text, args) => meets(text, args, (whole, part) => whole.endsWith(part)),
  replace: (text, [from, to, count]) =>
    make.text(replace(text, theText(from), theText(to), count === undefined ? -1 : numberIn(count))),
  removeprefix: (text, [part]) =>
    make.text(text.startsWith(theText(part)) ? text.slice(textIn(part).length) : text),
  removesuffix: (text, [part]) =>
    make.text(
      theText(part) !== "" && text.endsWith(textIn(part)) ? text.slice(0, -textIn(part).length) : text,
    ),
  find: (text, [part]) => placeOf(text, text.indexOf(theText(part))),
  rfind: (text, [part]) => placeOf(text, text.lastIndexOf(theText(part))),
  format,
  index: (text, [part]) => {
    if (!text.includes(theText(part))) throw new Error("the text to look for is not there");
    return placeOf(text, text.indexOf(textIn(part)));
  },
  count: (text, [part]) => make.int(countOf(text, theText(part))),
  join: (text, [items]) => make.text(itemsOf(items).map(theText).join(text)),
  zfill: (text, [width]) => {
    const [, sign, digits] = /^([-+]?)(.*)$/s.exec(text)!;
    return make.text(sign + digits.padStart(numberIn(width) - sign.length, "0"));
  },
  ljust: (text, [width, fill]) => make.text(text.padEnd(numberIn(width), textOr(fill, " "))),
  rjust: (text, [width, fill]) => make.text(text.padStart(numberIn(width), textOr(fill, " "))),
  isdigit: all(/^\p{Nd}+$/u),
  isdecimal: all(/^\p{Nd}+$/u),
  isnumeric: all(/^\p{N}+$/u),
  isalpha: all(/^\p{L}+$/u),
  isalnum: all(/^[\p{L}\p{N}]+$/u),
  isspace: all(new RegExp(`^[${WHITE}]+$`)),
  isupper: (text) => make.bool(hasCase(text) && text === text.toUpperCase()),
  islower: (text) => make.bool(hasCase(text) && text === text.toLowerCase()),
};

/** Gives the library's texts these methods in place of its own. */
export function installMethods(): void {
  Object.defineProperty(TextValue.prototype, "builtins", {
    configurable: true,
    get(this: Value): { get(name: string): Value | undefined } {
      const text = textIn(this);
      return {
        get: (name) => {
          const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
          return method && make.call((args) => refuseNamed(name, method, text, args));
        },
      };
    },
  });
}

/** Of named arguments `replace(count=)`, `split(maxsplit=)` and `split(sep=)` alone are in use. */
function refuseNamed(name: string, method: Method, text: string, args: Value[]): Value {
  const last = args.at(-1);
  if (last?.type !== "KeywordArgumentsValue" || method === format) return method(text, args);
  const named = last.value as Map<string, Value>;
  const places: Readonly<Record<string, number>> = { count: 2, maxsplit: 1, sep: 0 };
  const ordered: Value[] = args.slice(0, -1);
  for (const [key, value] of named) {
    if (places[key] === undefined) throw new Error(`${name} takes no argument ${key}`);
    for (let i = ordered.length; i < places[key]; i++) ordered[i] = make.none();
    ordered[places[key]] = value;
  }
  return method(text, ordered);
}
