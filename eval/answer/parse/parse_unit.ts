/** What stands behind a value: units, currency signs, percent words, multipliers such as million. */
import { apply, type Node, number } from "../node.ts";
import { type Cursor, isMark, next, peek, take } from "./cursor.ts";
import { ParseFailure } from "./token.ts";
import { rational } from "../rational.ts";
import { isPercentWord, MULTIPLIERS, spelled, textUnit } from "./units.ts";

const CURRENCY = new Set(["\\$", "€", "£", "¥", "₹", "¢"]);
/** Currency signs in canonical spelling. */
export const currencyName = (mark: string): string => mark === "\\$" ? "$" : mark === "¢" ? "c" : mark;

/** True if the next token is a currency sign. */
export const isCurrency = (c: Cursor): boolean => peek(c).kind === "mark" && CURRENCY.has(peek(c).text);

/** Wraps the value in the units that follow it, if any do. A text that is no unit is left where it is. */
export function parseUnit(c: Cursor, value: Node): Node {
  if (value.kind === "text") return value;
  const unit = readUnit(c);
  if (unit === null) return value;
  if (unit === "%") return parseUnit(c, { kind: "percent", value });
  const multiplier = MULTIPLIERS.get(unit);
  if (multiplier !== undefined) return parseUnit(c, apply("multiply", value, number(rational(multiplier))));
  if (value.kind === "unit") {
    // \$5 \text{ dollars} says the same thing twice; anything else is two claims.
    if (value.unit !== unit) throw new ParseFailure("two units");
    return value;
  }
  return { kind: "unit", value, unit };
}

/** One unit with powers and quotients: `cm^2`, `\text{ cm}^2`, `\text{km}/\text{h}`. */
function readUnit(c: Cursor): string | null {
  const first = readSimple(c);
  if (first === null) return null;
  let unit = first;
  while (unit !== "%" && isMark(c, "/") && (peek(c, 1).kind === "unit" || peek(c, 1).kind === "text")) {
    next(c);
    const below = readSimple(c);
    if (below === null) throw new ParseFailure("unit expected");
    unit += `/${below}`;
  }
  return spelled(unit);
}

function readSimple(c: Cursor): string | null {
  const t = peek(c);
  if (isCurrency(c)) return currencyName(next(c).text);
  let unit: string | null = null;
  if (t.kind === "unit") unit = t.text;
  else if (t.kind === "text") {
    const lower = t.text.toLowerCase();
    if (isPercentWord(lower)) unit = "%";
    else unit = MULTIPLIERS.has(lower) ? lower : textUnit(t.text);
  }
  if (unit === null) return null;
  next(c);
  return unit + readPower(c);
}

/** The power of a unit; 2 and 3 alone make sense. */
function readPower(c: Cursor): string {
  if (!isMark(c, "^")) return "";
  const braced = isMark(c, "{", 1);
  const digit = peek(c, braced ? 2 : 1).text;
  if (!/^[23]$/.test(digit) || (braced && !isMark(c, "}", 3))) throw new ParseFailure("power of a unit");
  next(c);
  if (braced) next(c);
  next(c);
  if (braced) take(c, "}");
  return `^${digit}`;
}
