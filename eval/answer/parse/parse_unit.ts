/** What stands behind a value: units, currency signs, percent words, multipliers such as million. */
import { apply, type Node, number } from "../node.ts";
import { type Cursor, isMark, next, peek, take } from "./cursor.ts";
import { spellUnit, textUnit, type UnitFactor } from "./text_unit.ts";
import { ParseFailure, type Token } from "./token.ts";
import { rational } from "../rational.ts";
import { canonicalWord, isPercentWord, isUnitLetter, MULTIPLIERS } from "./units.ts";

const CURRENCY = new Set(["\\$", "€", "£", "¥", "₹", "¢"]);
/** Currency signs in canonical spelling. */
export const currencyName = (mark: string): string => mark === "\\$" ? "$" : mark === "¢" ? "c" : mark;

/** True if the next token is a currency sign. */
export const isCurrency = (c: Cursor): boolean => peek(c).kind === "mark" && CURRENCY.has(peek(c).text);

/** Wraps the value in the units that follow it, if any do. A text that is no unit is left where it is. */
export function parseUnit(c: Cursor, value: Node): Node {
  if (value.kind === "text") return value;
  const word = peek(c).kind === "text" ? peek(c).text.toLowerCase() : "";
  if (isPercentWord(word)) {
    next(c);
    return parseUnit(c, { kind: "percent", value });
  }
  const multiplier = MULTIPLIERS.get(word);
  if (multiplier !== undefined) {
    next(c);
    return parseUnit(c, apply("multiply", value, number(rational(multiplier))));
  }
  const known: UnitFactor[] = value.kind === "unit" ? [{ name: value.unit, power: 1 }] : [];
  // \$5 \text{ per hour}, \$5/\text{hour}: more of the same unit.
  const goesOn = value.kind === "unit" && (isMark(c, "/") || /^per\b/.test(word));
  const factors = readUnit(c, goesOn ? known : []);
  if (factors === null) return value;
  const unit = spellUnit(factors);
  if (value.kind !== "unit") return { kind: "unit", value, unit };
  // \$5 \text{ dollars} says the same thing twice; anything else is two claims.
  if (!goesOn && value.unit !== unit) throw new ParseFailure("two units");
  return { ...value, unit };
}

/** Units with powers, products and quotients: `cm^2`, `\text{ cm}^2`, `\text{km}/\text{h}`, `\mathrm{kg}\cdot\mathrm{m}`. */
function readUnit(c: Cursor, known: UnitFactor[]): UnitFactor[] | null {
  const all = [...known];
  let own = all.length === 0 ? readFactor(c, false) : [];
  if (own === null) return null;
  for (; own !== null; own = readOther(c)) all.push(...own);
  return all;
}

/** One more factor of a unit, or null where it ends. */
function readOther(c: Cursor): UnitFactor[] | null {
  const start = c.at;
  const below = take(c, "/") || (peek(c).kind === "text" && /^per\b/i.test(peek(c).text));
  if (!below) take(c, "*");
  const bracket = below && take(c, "(");
  const factors = readFactor(c, c.at > start);
  if (factors && bracket) {
    for (let more = readOther(c); more; more = readOther(c)) factors.push(...more);
    if (!take(c, ")")) throw new ParseFailure(") expected");
  }
  if (!factors) {
    c.at = start;
    return null;
  }
  const saysPer = factors.some(({ power }) => power < 0);
  return below && !saysPer ? factors.map((f) => ({ ...f, power: -f.power })) : factors;
}

/** A text, a unit word, a currency sign or an upright letter, with its power. */
function readFactor(c: Cursor, inside: boolean): UnitFactor[] | null {
  if (isCurrency(c)) return [{ name: currencyName(next(c).text), power: 1 }];
  const t = peek(c);
  let factors: UnitFactor[] | null = null;
  if (t.kind === "unit") factors = [{ name: t.text, power: 1 }];
  else if (t.kind === "text") factors = textUnit(t.text);
  else if (isLetterOfUnit(t, inside)) factors = [{ name: canonicalWord(t.text), power: 1 }];
  else if (t.kind === "command" && t.text === "Omega") factors = [{ name: "ohm", power: 1 }];
  if (factors === null) return null;
  next(c);
  const power = readPower(c);
  return factors.map((f, k) => k === factors!.length - 1 ? { ...f, power: f.power * power } : f);
}

/** An upright letter, or a plain one within a unit: the h of km/h. */
const isLetterOfUnit = (t: Token, inside: boolean): boolean =>
  t.kind === "letter" && isUnitLetter(t.text) && (t.upright === true || (inside && t.run === 1));

/** The power of a unit. */
function readPower(c: Cursor): number {
  if (!isMark(c, "^")) return 1;
  const braced = isMark(c, "{", 1);
  let ahead = braced ? 2 : 1;
  const minus = isMark(c, "-", ahead);
  if (minus) ahead++;
  const digit = peek(c, ahead).text;
  if (!/^[1-9]$/.test(digit) || (braced && !isMark(c, "}", ahead + 1))) {
    throw new ParseFailure("power of a unit");
  }
  for (let k = 0; k <= ahead + (braced ? 1 : 0); k++) next(c);
  return minus ? -Number(digit) : Number(digit);
}

const ENDS = new Set([
  ",",
  ";",
  "and",
  "or",
  ")",
  "]",
  "}",
  "\\}",
  "=",
  "<",
  ">",
  "<=",
  ">=",
  "!=",
  "~",
  ":",
  "&",
  "\\\\",
  "|",
]);

/** True for the tokens that {@linkcode unitAhead} is to be asked about. */
export const mayBeUnit = (t: Token): boolean =>
  t.kind === "letter" ? t.upright === true || t.text === "m" : t.kind === "command" && t.text === "Omega";

/** True if a unit of upright letters (or m/s behind a space) stands here and ends what is being said. */
export function unitAhead(c: Cursor): boolean {
  const t = peek(c);
  const speed = t.kind === "letter" && t.spaced && t.text === "m" && isMark(c, "/", 1) &&
    peek(c, 2).text === "s";
  const ohm = t.kind === "command" && t.text === "Omega" && t.spaced;
  if (!speed && !ohm && (c.uprightSymbols || !isLetterOfUnit(t, false))) return false;
  const start = c.at;
  if (speed) c.tokens[c.at] = { ...t, upright: true };
  try {
    if (readUnit(c, []) === null) return false;
    const end = peek(c);
    return end.kind === "end" || (end.kind === "mark" && ENDS.has(end.text));
  } catch (error) {
    if (error instanceof ParseFailure) return false;
    throw error;
  } finally {
    c.at = start;
  }
}
