// What Python's str.strip() takes off, which JavaScript's trim() differs from in U+0085, U+FEFF and four separators.
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`, "u");

/** A text without the white space at both ends, as Python understands it: the prompts of lm-evaluation-harness ask for it. */
export function pythonStrip(text: string): string {
  return pythonRstrip(text).replace(LEADING, "");
}

/** The same at its end alone. */
export function pythonRstrip(text: string): string {
  let end = text.length;
  while (end > 0 && IS_SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

const IS_SPACE = new RegExp(SPACE, "u");
