/**
 * Boxes: the last one of a reply, and the continuation of a forced one, which alone the protocol of the method grades.
 * Looser signs of an answer are in extract_answer.ts.
 */

/** Index of the brace that closes the group opened just before `start`, or -1. Escaped braces do not count. */
export function closingBrace(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (c === "\\") i++;
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) return i;
  }
  return -1;
}

/**
 * The answer in a continuation of a forced `\boxed{`: the text up to the brace that closes it.
 *
 * @param text what the model wrote after the forced `\boxed{`
 * @returns the trimmed content, or null when no brace closes the box or the box is empty (method, section 4)
 */
export function boxedContinuation(text: string): string | null {
  const end = closingBrace(text, 0);
  const content = end < 0 ? "" : text.slice(0, end).trim();
  return content === "" ? null : content;
}

interface Box {
  /** content without its braces, trimmed */
  content: string;
  /** first index of the box in the text, and the first index after it */
  from: number;
  to: number;
}

const BOX = /\\(?:boxed|fbox)(?![A-Za-z])\s*/g;

/** Every `\boxed{...}`, `\fbox{...}` and `\boxed 7`, left to right; an unclosed one has `content` "" and `to` -1. */
function boxes(text: string): Box[] {
  const found: Box[] = [];
  BOX.lastIndex = 0;
  for (let m = BOX.exec(text); m; m = BOX.exec(text)) {
    const start = BOX.lastIndex;
    if (text[start] === "{") {
      const end = closingBrace(text, start + 1);
      if (end < 0) {
        found.push({ content: "", from: m.index, to: -1 });
        break;
      }
      found.push({ content: text.slice(start + 1, end).trim(), from: m.index, to: end + 1 });
      BOX.lastIndex = end + 1;
    } else {
      // \boxed 7: the braceless form takes what stands before the maths ends.
      const bare = /^[^\s$\\.,;]+/.exec(text.slice(start, start + 200));
      if (bare) found.push({ content: bare[0], from: m.index, to: start + bare[0].length });
    }
  }
  return found;
}

/** What may stand between two boxes that are parts of one answer, apart from maths delimiters and spacing. */
const SPACING = /\s|\\[,;!:()[\] ]|\\\\|\\q?quad|[~$&]/g;
/** A separator, perhaps behind the noun of the first part (`papers and`), perhaps before the name of the next (`y_2 =`). */
const JOINER =
  /^(?:[a-z]{1,15} )?(?:,|;|and|or|, ?and|, ?or|\\(?:text|mbox|textrm) ?\{ ?[,;]? ?(?:and|or|,|;)? ?[,;]? ?\})(?: [A-Za-z](?:_(?:\{\w{1,5}\}|\w))? ?=)?$/;

/** In one maths span, words in \text may stand between the parts; signs of arithmetic or relation may not. */
function inOneSpan(between: string): boolean {
  const outside = between.replace(/\\(?:text|mbox|textrm)\s*\{[^{}]*\}/g, "");
  return between.length <= 100 && !/\\[()[\]]|\$|\n\s*\n/.test(between) &&
    outside.replace(SPACING, "").replace(/[,;]/g, "") === "";
}

const ROUNDING = new RegExp(
  "^(?:(?:or|and|i\\.?e\\.?|that is|which is|this is|it is|is|which equals|equals|that equals) )*" +
    "(?:\\\\approx|≈|\\\\simeq|\\\\doteq|~|approximately|approx\\.?|about|roughly|around|nearly|close to|numerically|in decimals?|as a decimal)" +
    "(?: (?:equal to|equals|to|is|by|=))*$",
  "i",
);

/** The last two boxes, where the words between them say that the last one only rounds the one before; else null. */
export function roundedBox(text: string): { exact: string; rounded: string } | null {
  const [exact, last] = boxes(text).slice(-2);
  if (!last || exact.content === "" || last.content === "") return null;
  const between = text.slice(exact.to, last.from).replace(/\\(?:text|mbox|textrm) ?\{([^{}]*)\}/g, " $1 ");
  const bare = between.replace(SPACING, " ").replace(/[,;:().]+(?=\s|$)|(?<=\s)[(]/g, " ").replace(
    /\s+/g,
    " ",
  ).trim();
  return between.length <= 100 && ROUNDING.test(bare)
    ? { exact: exact.content, rounded: last.content }
    : null;
}

/** True if the boxes with this text between them are parts of one answer. */
function joined(between: string): boolean {
  if (between.length > 200) return false;
  const bare = between.replace(SPACING, " ").replace(/ +/g, " ").trim();
  return bare === "" || JOINER.test(bare) || inOneSpan(between);
}

/**
 * The last answer in boxes: `\boxed{...}` with nested braces, `\fbox{...}`, `\boxed 7`. Boxes that stand in one maths
 * span, or are joined only by `,` `;` `and` `or`, are parts of one answer and come back joined by commas.
 *
 * @returns the trimmed content; null when there is no box, the last one is empty, or no brace closes it
 */
export function lastBox(text: string): string | null {
  return boxedAnswer(text)?.text ?? null;
}

/** {@linkcode lastBox} with the places where the answer's first box starts and its last one ends. */
export function boxedAnswer(text: string): { text: string; from: number; to: number } | null {
  const all = boxes(text);
  const last = all.at(-1);
  if (!last || last.content === "") return null;
  const parts = [last.content];
  let first = all.length - 1;
  while (
    first > 0 && all[first - 1].content !== "" && joined(text.slice(all[first - 1].to, all[first].from))
  ) {
    parts.unshift(all[--first].content);
  }
  return { text: parts.join(", "), from: all[first].from, to: last.to };
}
