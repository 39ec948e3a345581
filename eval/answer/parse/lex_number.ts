/** Numbers as they are written: grouped digits, decimals, repeating decimals, powers of ten. */
import { addRationals, divideRationals, parseDecimal, type Rational, rational } from "../rational.ts";
import { ParseFailure, push, type Reader } from "./token.ts";

const GROUP_SPACED = /\d{1,3}(?:(?:\s*\{\s*,\s*\}\s*|\s?,\s?\\!\s*|\\,|\\ |,\\,)\d{3})+(?!\d)/y;
const GROUP_COMMA = /[1-9]\d{0,2}(?:,\d{3})+(?![\d,]|\.\d*,)/y;
const GROUP_BLANK = /\d{1,3}(?: \d{3})+(?!\d| \d)/y;
const DIGITS = /\d*/y;
const FRACTION = /\.\d+/y;
const REPEATING = /\.(\d*)\\(?:overline|bar|dot|overbar)\s*(?:\{\s*(\d+)\s*\}|(\d))/y;
const SCIENTIFIC = /[eE]\+?\d{1,5}(?![\d.])|E-\d{1,5}(?![\d.])/y;
const DECIMAL_COMMA = /(\d+),(\d+)(?![\d,.])/y;

function match(pattern: RegExp, r: Reader, at = r.at): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(r.text);
}

/** Reads the number that starts here. */
export function lexNumber(r: Reader): void {
  if (r.plain && r.depth === 0) {
    const m = match(DECIMAL_COMMA, r);
    if (m && !(m[2].length === 3 && m[1].length <= 3 && m[1] !== "0")) {
      return push(r, "number", `${m[1]}.${m[2]}`, m[0].length, { value: decimal(`${m[1]}.${m[2]}`) });
    }
  }
  const grouped = match(GROUP_SPACED, r) ?? (r.depth === 0 ? match(GROUP_COMMA, r) : null) ??
    (r.depth === 0 ? match(GROUP_BLANK, r) : null);
  const whole = grouped?.[0] ?? match(DIGITS, r)![0];
  const digits = whole.replace(/\D/g, "");
  let length = whole.length;
  const repeating = match(REPEATING, r, r.at + length);
  if (repeating) {
    const value = repeatingDecimal(digits || "0", repeating[1], repeating[2] ?? repeating[3]);
    return push(
      r,
      "number",
      `${digits}.${repeating[1]}(${repeating[2] ?? repeating[3]})`,
      length + repeating[0].length,
      { value },
    );
  }
  const fraction = match(FRACTION, r, r.at + length)?.[0] ?? "";
  length += fraction.length;
  const exponent = match(SCIENTIFIC, r, r.at + length)?.[0] ??
    (r.plain ? /^e-\d{1,5}(?![\d.])/.exec(r.text.slice(r.at + length, r.at + length + 9))?.[0] : "") ?? "";
  length += exponent.length;
  const text = digits + fraction + exponent;
  push(r, "number", text, length, { value: decimal(text) });
}

function decimal(text: string): Rational {
  const value = parseDecimal(text);
  if (!value) throw new ParseFailure("number");
  return value;
}

/** 0.1666... written `0.1\overline{6}`, exactly. */
function repeatingDecimal(whole: string, fixed: string, period: string): Rational {
  const scale = 10n ** BigInt(fixed.length);
  const tail = divideRationals(
    rational(BigInt(period)),
    rational((10n ** BigInt(period.length) - 1n) * scale),
  );
  return addRationals(decimal(`${whole}.${fixed}`), tail);
}
