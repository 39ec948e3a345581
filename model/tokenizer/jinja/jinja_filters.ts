/**
 * Filters and tests as jinja2 has them, in place of those of @huggingface/jinja 0.5.11 that differ (`'12a' | int` is 12 there, `-1.5 | int`
 * is -2, `true | string` is true) or are not there.
 *
 * @module
 */
import { capitalize, replace, strip } from "./jinja_methods.ts";
import { jsonForm, toJson } from "./jinja_json.ts";
import {
  areEqual,
  compare,
  contains,
  is,
  isTrue,
  itemsOf,
  kindOf,
  listIn,
  make,
  mapIn,
  numberIn,
  str,
  textIn,
  type Value,
} from "./jinja_values.ts";

/** Arguments of a filter, and how it reaches other filters and tests. */
export interface Given {
  args: Value[];
  named: ReadonlyMap<string, Value>;
  /** Applies a filter by its name. */
  filter(name: string, value: Value, args: Value[]): Value;
}

type Filter = (value: Value, given: Given) => Value;

/** A test of a value, `x is test(...)`. */
export type Test = (value: Value, ...args: Value[]) => boolean;

const NUMBER = /^[+-]?(\d+(_\d+)*)$/;
const REAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The argument at a place, or of a name. */
const argument = ({ args, named }: Given, at: number, name: string): Value | undefined =>
  args[at] ?? named.get(name);
const textOf = (value: Value | undefined, or: string): string => value === undefined ? or : str(value);
const flag = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

function toInt(value: Value, given: Given): Value {
  const or = argument(given, 0, "default") ?? make.int(0);
  if (is.number(value)) return Number.isFinite(numberIn(value)) ? make.int(Math.trunc(numberIn(value))) : or;
  if (!is.text(value)) return or;
  const text = strip(textIn(value), undefined, "both");
  if (NUMBER.test(text)) return make.int(Number(text.replaceAll("_", "")));
  return REAL.test(text) ? make.int(Math.trunc(Number(text))) : or;
}

function toFloat(value: Value, given: Given): Value {
  if (is.number(value)) return make.float(numberIn(value));
  const text = is.text(value) ? strip(textIn(value), undefined, "both") : "";
  return REAL.test(text) ? make.float(Number(text)) : argument(given, 0, "default") ?? make.float(0);
}

function lengthOf(value: Value): Value {
  if (is.text(value)) return make.int(Array.from(textIn(value)).length);
  if (is.map(value)) return make.int(mapIn(value).size);
  return make.int(itemsOf(value).length);
}

/** Python rounds halves to the even neighbour. */
function round(value: Value, given: Given): Value {
  const isWhole = is.int(value) && argument(given, 1, "method") === undefined;
  if (isWhole && argument(given, 0, "precision") === undefined) return value;
  const digits = argument(given, 0, "precision");
  const scale = 10 ** (digits === undefined ? 0 : numberIn(digits));
  const method = textOf(argument(given, 1, "method"), "common");
  const scaled = numberIn(value) * scale;
  const half = Math.floor(scaled);
  const common = scaled - half === 0.5 ? half + (half % 2 === 0 ? 0 : 1) : Math.round(scaled);
  const rounded = method === "ceil" ? Math.ceil(scaled) : method === "floor" ? half : common;
  return make.float(rounded / scale);
}

/** jinja2's `title`, which cuts words elsewhere than Python's. */
const filterTitle = (text: string): string =>
  text.split(/([-\s({[<]+)/).map((part) => capitalize(part)).join("");

function indent(text: string, given: Given): string {
  const width = argument(given, 0, "width");
  const by = width !== undefined && is.text(width)
    ? textIn(width)
    : " ".repeat(width === undefined ? 4 : numberIn(width));
  const [first, blank] = [flag(argument(given, 1, "first")), flag(argument(given, 2, "blank"))];
  return text.split("\n").map((line, i) => (i === 0 ? first : blank || line !== "") ? by + line : line).join(
    "\n",
  );
}

/** An attribute, or one of an attribute's: `a.b`, `a.0`. */
function attributeOf(value: Value, path: string): Value {
  return path.split(".").reduce((at, name) => {
    if (is.map(at) || at.type === "NamespaceValue") return mapIn(at).get(name) ?? make.nothing();
    if (is.list(at) && /^\d+$/.test(name)) return listIn(at)[Number(name)] ?? make.nothing();
    return make.nothing();
  }, value);
}

function joined(value: Value, given: Given): Value {
  const attribute = argument(given, 1, "attribute");
  const items = itemsOf(value).map((item) =>
    attribute === undefined ? item : attributeOf(item, str(attribute))
  );
  return make.text(items.map(str).join(textOf(argument(given, 0, "d"), "")));
}

function mapped(value: Value, given: Given): Value {
  const { args, named, filter } = given;
  const attribute = named.get("attribute");
  if (attribute === undefined) {
    const [name, ...more] = args;
    if (name === undefined) throw new Error("map needs a filter or an attribute");
    return make.list(itemsOf(value).map((item) => filter(str(name), item, more)));
  }
  const or = named.get("default");
  return make.list(
    itemsOf(value).map((item) => {
      const found = attributeOf(item, str(attribute));
      return is.nothing(found) && or !== undefined ? or : found;
    }),
  );
}

/** `select`, `reject` and their forms for attributes: those whose test holds, or does not. */
const chosen = (keeps: boolean, ofAttribute: boolean): Filter => (value, { args }) => {
  const attribute = ofAttribute ? args[0] : undefined;
  const [name, ...more] = ofAttribute ? args.slice(1) : args;
  const test = name === undefined ? isTrue : findTest(str(name));
  const seen = (item: Value) => attribute === undefined ? item : attributeOf(item, str(attribute));
  return make.list(itemsOf(value).filter((item) => test(seen(item), ...more) === keeps));
};

const folded = (value: Value, isExact: boolean): Value =>
  is.text(value) && !isExact ? make.text(textIn(value).toLowerCase()) : value;

function sorted(value: Value, given: Given): Value {
  const reverse = flag(argument(given, 0, "reverse"));
  const isExact = flag(argument(given, 1, "case_sensitive"));
  const attribute = argument(given, 2, "attribute");
  const key = (item: Value) =>
    folded(attribute === undefined ? item : attributeOf(item, str(attribute)), isExact);
  const ordered = itemsOf(value).toSorted((a, b) => (reverse ? -1 : 1) * compare(key(a), key(b)));
  return make.list(ordered);
}

function unique(value: Value, given: Given): Value {
  const isExact = flag(argument(given, 0, "case_sensitive"));
  const seen: Value[] = [];
  return make.list(
    itemsOf(value).filter((item) => {
      const key = folded(item, isExact);
      if (seen.some((one) => areEqual(one, key))) return false;
      return seen.push(key) > 0;
    }),
  );
}

/** The least, or with -1 the greatest. */
const extreme = (sign: 1 | -1): Filter => (value, given) => {
  const isExact = flag(argument(given, 0, "case_sensitive"));
  const items = itemsOf(value);
  const better = (a: Value, b: Value) => sign * compare(folded(a, isExact), folded(b, isExact)) < 0;
  return items.length === 0 ? make.nothing() : items.reduce((best, item) => better(item, best) ? item : best);
};

function defaulted(value: Value, given: Given): Value {
  const isMissing = is.nothing(value) || flag(argument(given, 1, "boolean")) && !isTrue(value);
  return isMissing ? argument(given, 0, "default_value") ?? make.text("") : value;
}

const pairs = (value: Value): Value[] =>
  is.nothing(value) ? [] : Array.from(mapIn(value), ([key, item]) => make.tuple([make.text(key), item]));

const reversed = (value: Value): Value =>
  is.text(value)
    ? make.text(Array.from(textIn(value)).reverse().join(""))
    : make.list(itemsOf(value).toReversed());

const sum = (value: Value): Value => {
  const items = itemsOf(value);
  const total = items.reduce((all, item) => all + numberIn(item), 0);
  return items.some(is.float) ? make.float(total) : make.int(total);
};

const absolute = (value: Value): Value => {
  if (!is.number(value)) throw new Error(`abs takes a number, not a ${kindOf(value)}`);
  return is.float(value) ? make.float(Math.abs(numberIn(value))) : make.int(Math.abs(numberIn(value)));
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("'", "&#39;")
    .replaceAll('"', "&#34;");

const FILTERS: Readonly<Record<string, Filter>> = {
  abs: absolute,
  capitalize: (value) => make.text(capitalize(str(value))),
  count: lengthOf,
  d: defaulted,
  default: defaulted,
  e: (value) => make.text(escaped(str(value))),
  escape: (value) => make.text(escaped(str(value))),
  first: (value) => itemsOf(value)[0] ?? make.nothing(),
  float: toFloat,
  indent: (value, given) => make.text(indent(str(value), given)),
  int: toInt,
  items: (value) => make.list(pairs(value)),
  join: joined,
  last: (value) => itemsOf(value).at(-1) ?? make.nothing(),
  length: lengthOf,
  list: (value) => make.list([...itemsOf(value)]),
  lower: (value) => make.text(str(value).toLowerCase()),
  map: mapped,
  max: extreme(-1),
  min: extreme(1),
  reject: chosen(false, false),
  rejectattr: chosen(false, true),
  replace: (value, given) => {
    const count = argument(given, 2, "count");
    const [from, to] = [argument(given, 0, "old"), argument(given, 1, "new")];
    const most = count === undefined || is.none(count) ? -1 : numberIn(count);
    return make.text(replace(str(value), textOf(from, ""), textOf(to, ""), most));
  },
  reverse: reversed,
  round,
  safe: (value) => value,
  select: chosen(true, false),
  selectattr: chosen(true, true),
  sort: sorted,
  string: (value) => make.text(str(value)),
  sum,
  tojson: (value, given) => make.text(toJson(value, jsonForm((at, name) => argument(given, at, name)))),
  title: (value) => make.text(filterTitle(str(value))),
  trim: (value, given) => make.text(strip(str(value), argument(given, 0, "chars"), "both")),
  unique,
  upper: (value) => make.text(str(value).toUpperCase()),
  wordcount: (value) => make.int(str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
};

/** The filter of a name; undefined where the library's own is good. */
export const findFilter = (name: string): Filter | undefined =>
  Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;

const holds = (test: (order: number) => boolean): Test => (value, other) => test(compare(value, other));
const differs: Test = (value, other) => !areEqual(value, other);

/** Tests by name; those with arguments are for `select` and its kin, since the library does not read `x is test(y)`. */
export const TESTS: Readonly<Record<string, Test>> = {
  ...{ "==": areEqual, eq: areEqual, equalto: areEqual, "!=": differs, ne: differs },
  ...{
    "<": holds((o) => o < 0),
    lt: holds((o) => o < 0),
    lessthan: holds((o) => o < 0),
    "<=": holds((o) => o <= 0),
  },
  ...{
    ">": holds((o) => o > 0),
    gt: holds((o) => o > 0),
    greaterthan: holds((o) => o > 0),
    ">=": holds((o) => o >= 0),
  },
  ...{ le: holds((o) => o <= 0), ge: holds((o) => o >= 0), in: (value, whole) => contains(whole, value) },
  divisibleby: (value, by) => numberIn(value) % numberIn(by) === 0,
  number: is.number,
  float: is.float,
  iterable: (value) => is.text(value) || is.list(value) || is.map(value) || is.nothing(value),
  lower: (value) => str(value) !== str(value).toUpperCase() && str(value) === str(value).toLowerCase(),
  upper: (value) => str(value) !== str(value).toLowerCase() && str(value) === str(value).toUpperCase(),
};

let libraryTests: ReadonlyMap<string, Test> = new Map();

/** Adds {@link TESTS} to those of the library. */
export function installTests(own: Map<string, Test>): void {
  for (const [name, test] of Object.entries(TESTS)) own.set(name, test);
  libraryTests = own;
}

function findTest(name: string): Test {
  const test = libraryTests.get(name);
  if (test) return test;
  throw new Error(`Unknown test: ${name}`);
}
