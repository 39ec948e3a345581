/** What a JSON text may hold: nested arrays and objects take far more memory than their two letters. */
interface JsonLimits {
  /** Arrays and objects within each other; 64 if not given. */
  deepest?: number;
  /** Arrays and objects in all; 4 Mi if not given. */
  containers?: number;
  /** Numbers that JavaScript's would change come as the text of all their digits: 12345678901234567890, 0.12345678901234567890. */
  keepsDigits?: boolean;
}

/**
 * JSON.parse for texts from elsewhere.
 *
 * @throws SyntaxError as JSON.parse does, and for a text that nests deeper, or has more arrays and objects, than the limits say
 */
export function parseJson(text: string, limits: JsonLimits = {}): unknown {
  const { deepest = 64, containers = 2 ** 22, keepsDigits = false } = limits;
  let [depth, found] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > deepest) throw new SyntaxError(`it nests more than ${deepest} arrays and objects`);
      if (++found > containers) throw new SyntaxError(`it has more than ${containers} arrays and objects`);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--;
  }
  if (!keepsDigits || !LONG_NUMBER.test(text)) return JSON.parse(text);
  // What JavaScript knows of the text that a value was read from.
  const reviver = (_: string, value: unknown, { source }: { source?: string }) =>
    typeof value === "number" && source !== undefined ? exactly(value, source) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** What a number that changes looks like, be it within a text: more digits than 15, or an exponent. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]/;

/** Digits of a number that is written out. */
const MOST_DIGITS = 1000;

/** A number as it was written, where the nearest that JavaScript has is another. */
function exactly(value: number, source: string): number | string {
  const [digits, exponent] = decimalOf(source);
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(source) && Number.isFinite(value)) {
    const [ours, at] = decimalOf(String(value));
    if (ours === digits && at === exponent) return value;
  }
  const sign = source.startsWith("-") ? "-" : "";
  if (!/[eE]/.test(source) || Math.abs(exponent) + digits.length > MOST_DIGITS) return source;
  if (exponent >= 0) return sign + digits + "0".repeat(exponent);
  const padded = digits.padStart(1 - exponent, "0");
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** The digits of a decimal without zeros around them, and the power of ten that they are multiplied with. */
function decimalOf(text: string): [digits: string, exponent: number] {
  const [, whole, part = "", power = "0"] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text)!;
  const all = (whole + part).replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  return digits === "" ? ["", 0] : [digits, Number(power) - part.length + all.length - digits.length];
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where the string that begins at a quote ends; the text's end where it does not. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
