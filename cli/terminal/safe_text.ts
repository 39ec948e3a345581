/**
 * Makes text safe for people. Names, texts and messages come from models, data and servers: what a terminal would act on, or what
 * would reorder a line before the reader's eyes, is shown as an escape instead.
 *
 * @module
 */

// C0 but tab and line feed, DEL, C1; marks of direction, line and paragraph ends, interlinear marks, tags.
const UNSAFE =
  "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069" +
  "\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";
const IN_TEXT = new RegExp(`[${UNSAFE}]`, "gu");
const IN_LINE = new RegExp(`[\\t\\n${UNSAFE}]`, "gu");

/** A text of lines: each character that a terminal acts on, but tabs and line feeds, as `\u001b`. */
export function safeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(IN_TEXT, escaped);
}

/** One line: as {@link safeText}, with `\t` and `\n` for tabs and line feeds. */
export function safeLine(text: string): string {
  return text.replace(IN_LINE, (found) => found === "\n" ? "\\n" : found === "\t" ? "\\t" : escaped(found));
}

/** Data as JSON: the escapes are JSON's own, so that what reads it gets the same data. */
export function safeJson(data: unknown): string {
  return safeText(JSON.stringify(data, null, 2) ?? "null");
}

/** In UTF-16, as JSON has it. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }).join("");
}
