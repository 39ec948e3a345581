/**
 * Values of own code as lines of JSON, between its process and that of the command: what JSON alone would change or lose (NaN, -0, undefined,
 * big integers, functions) comes out as it went in.
 *
 * @module
 */

/** A function of own code. */
export type Called = (...args: unknown[]) => unknown;

/** The one key of an object that stands for what JSON cannot say. */
const MARK = "\0softcot";

/** A value as JSON; `functions` takes its functions, whose places are told. */
export function plainText(value: unknown, functions: Called[]): string {
  return JSON.stringify(value, (_, part) => {
    const odd = oddForm(part, functions);
    return odd === undefined ? part : { [MARK]: odd };
  });
}

function oddForm(part: unknown, functions: Called[]): string | number | undefined {
  switch (typeof part) {
    case "number":
      return Number.isFinite(part) && !Object.is(part, -0)
        ? undefined
        : Object.is(part, -0)
        ? "-0"
        : `${part}`;
    case "function":
      return functions.push(part as Called) - 1;
    case "undefined":
      return "undefined";
    case "bigint":
      return `n${part}`;
    case "symbol":
      return `s${String(part)}`;
  }
}

/**
 * The value again.
 *
 * @param call calls one of its functions by its place
 */
export function valueOf(
  text: string,
  call: (place: number, args: unknown[]) => Promise<unknown>,
): unknown {
  if (!text.includes("\\u0000softcot")) return JSON.parse(text);
  return JSON.parse(text, (_, part) => {
    const odd = part !== null && typeof part === "object" ? part[MARK] : undefined;
    if (odd === undefined) return part;
    if (typeof odd === "number") return (...args: unknown[]) => call(odd, args);
    if (odd === "undefined") return undefined;
    if (odd.startsWith("n")) return BigInt(odd.slice(1));
    return odd.startsWith("s") ? Symbol.for(odd.slice("sSymbol(".length, -1)) : Number(odd);
  });
}
