import { is, itemsOf, kindOf, mapIn, repr, str, textIn, type Value } from "./jinja_values.ts";

/** Settings of Python's `json.dumps`. */
interface JsonForm {
  /** Blanks, or a text, before each level; none writes one line. */
  indent?: string;
  ensureAscii: boolean;
  sortKeys: boolean;
  /** Between items, and between a key and its value. */
  separators: readonly [string, string];
}

/**
 * The form that the filter `tojson` is asked for, by place or by name as transformers declares it.
 *
 * @param argument finds an argument
 */
export function jsonForm(argument: (at: number, name: string) => Value | undefined): JsonForm {
  const given = (at: number, name: string) => {
    const value = argument(at, name);
    return value === undefined || is.none(value) ? undefined : value;
  };
  const isOn = (at: number, name: string) => given(at, name)?.__bool__().value === true;
  const indent = given(1, "indent");
  const separators = given(2, "separators");
  const [item, key] = separators === undefined
    ? [indent === undefined ? ", " : ",", ": "]
    : itemsOf(separators).map(str);
  return {
    ...(indent === undefined
      ? {}
      : { indent: is.int(indent) ? " ".repeat(indent.value as number) : str(indent) }),
    ensureAscii: isOn(0, "ensure_ascii"),
    sortKeys: isOn(3, "sort_keys"),
    separators: [item, key],
  };
}

/** A value as Python's `json.dumps` writes it. */
export function toJson(value: Value, form: JsonForm, line = "\n"): string {
  if (is.text(value)) return quoted(textIn(value), form);
  if (is.none(value)) return "null";
  if (is.bool(value)) return value.value ? "true" : "false";
  if (is.int(value) || is.float(value)) return repr(value);
  const inner = form.indent === undefined ? "" : line + form.indent;
  const wrap = (open: string, items: string[], close: string) =>
    items.length === 0
      ? open + close
      : open + inner + items.join(form.separators[0] + inner) + (form.indent === undefined ? "" : line) +
        close;
  const below = (item: Value) => toJson(item, form, inner);
  if (is.list(value)) return wrap("[", itemsOf(value).map(below), "]");
  if (!is.map(value)) throw new Error(`a ${kindOf(value)} cannot be written as JSON`);
  const entries = [...mapIn(value)];
  if (form.sortKeys) entries.sort(([a], [b]) => a < b ? -1 : 1);
  return wrap("{", entries.map(([key, item]) => quoted(key, form) + form.separators[1] + below(item)), "}");
}

function quoted(text: string, { ensureAscii }: JsonForm): string {
  // JavaScript writes lone surrogates as escapes, too.
  const json = JSON.stringify(text);
  if (!ensureAscii) return json;
  return json.replace(/[\u007f-\uffff]/g, (unit) => {
    return unit === "\u007f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
