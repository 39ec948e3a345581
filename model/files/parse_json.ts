/** What a JSON text may hold: nested arrays and objects take far more memory than their two letters. */
interface JsonLimits {
  /** Arrays and objects within each other; 64 if not given. */
  deepest?: number;
  /** Arrays and objects in all; 4 Mi if not given. */
  containers?: number;
}

/**
 * JSON.parse for texts from elsewhere.
 *
 * @throws SyntaxError as JSON.parse does, and for a text that nests deeper, or has more arrays and objects, than the limits say
 */
export function parseJson(text: string, { deepest = 64, containers = 2 ** 22 }: JsonLimits = {}): unknown {
  let [depth, found] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > deepest) throw new SyntaxError(`it nests more than ${deepest} arrays and objects`);
      if (++found > containers) throw new SyntaxError(`it has more than ${containers} arrays and objects`);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--;
  }
  return JSON.parse(text);
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
