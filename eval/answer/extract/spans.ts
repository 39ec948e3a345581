/** Maths and numbers in a text of words. */
import type { Extracted, Place } from "./extracted.ts";
import { isDenied } from "./is_denied.ts";

/** `\boxed{28}$ pct`: the sign outside the box belongs to the answer. */
export function percentBehind(rest: string): string {
  return /^[\s$]*(?:\\?%|percent\b|percentage\b|pct\b)/.test(rest) ? "\\%" : "";
}

const WORDS_OF_MATHS = new Set(
  ("and or sin cos tan cot sec csc log sqrt percent percentage pct dollars dollar cents miles feet inches units degrees hours minutes " +
    "meters days years").split(" "),
);

/** A letter of a script that is not written with letters of maths. */
const OTHER_SCRIPT = /[^\P{L}\p{Script=Latin}\p{Script=Greek}\p{Script=Common}\p{Script=Inherited}]/u;

/** True if words stand outside of maths that are not part of an answer. */
export function isProse(text: string): boolean {
  const outside = text.replace(/\$\$[^$]*\$\$|\$[^$]*\$|\\\[[\s\S]*?\\\]|\\\([\s\S]*?\\\)/g, " ")
    .replace(/\\(?:text|mbox|mathrm|textbf|textnormal)\s*\{[^{}]*\}/g, " ").replace(/\\[A-Za-z]+/g, " ")
    .replace(/(?<=[\d)])or(?=[A-Z(\d-])/g, " ");
  return OTHER_SCRIPT.test(outside) ||
    (outside.match(/\p{L}{3,}/gu) ?? []).some((word) => !WORDS_OF_MATHS.has(word.toLowerCase()));
}

const SPAN = /\$\$([\s\S]+?)\$\$|(?<!\\)\$((?:[^$\\]|\\[\s\S])+?)\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)/g;
const JOINER = /^\s*(?:,|and|or|,\s*and|,\s*or)\s*$/;

const inside = (m: RegExpMatchArray): string => (m[1] ?? m[2] ?? m[3] ?? m[4]).trim();
const endOf = (m: RegExpMatchArray): number => m.index! + m[0].length;

/** The maths spans that no words deny. */
const spansOf = (text: string): RegExpMatchArray[] =>
  [...text.matchAll(SPAN)].filter((m) => !isDenied(text, m.index, endOf(m)));

/** The last maths span, with the spans that `and`, `or` and commas join to it, and with a percent sign behind it. */
export function lastSpan(text: string): Place | null {
  const spans = spansOf(text);
  const last = spans.at(-1);
  if (!last) return null;
  const parts = [inside(last)];
  let start = last.index!;
  for (let k = spans.length - 2; k >= 0; k--) {
    if (!JOINER.test(text.slice(endOf(spans[k]), start))) break;
    start = spans[k].index!;
    parts.unshift(inside(spans[k]));
  }
  const end = endOf(last);
  return { found: { text: parts.join(" , ") + percentBehind(text.slice(end)), plain: false }, at: end };
}

const NUMBER =
  /(?<![\w\\.,])[-−+]?(?:\\?\$|[€£])?\s?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?!\d)|\d+(?:[.,]\d+)?|\.\d+)(?:\s?\/\s?\d+)?(?:\s?(?:\\?%|percent\b|percentage\b|pct\b))?(?![A-Za-z_]{4}|[A-Z]|\d)/g;

/** The last number that no words deny. */
export function lastNumber(text: string): Place | null {
  const last = [...text.matchAll(NUMBER)].findLast((m) => !isDenied(text, m.index, endOf(m)));
  return last ? { found: { text: last[0].trim(), plain: true }, at: last.index } : null;
}

/** The maths spans of a text, and with `numbers` those outside of them, in order; spans joined by commas, `and`, `or` are one. */
export function statedParts(text: string, numbers: boolean): Extracted[] {
  const spans = spansOf(text);
  const all = [...text.matchAll(SPAN)];
  const outside = numbers ? [...text.matchAll(NUMBER)] : [];
  const loose = outside.filter((m) =>
    !all.some((s) => m.index < endOf(s) && endOf(m) > s.index!) && !isDenied(text, m.index, endOf(m))
  );
  const parts: { from: number; to: number; found: Extracted }[] = [];
  for (const m of [...spans, ...loose].sort((a, b) => a.index! - b.index!)) {
    const plain = loose.includes(m as RegExpExecArray);
    const last = parts.at(-1);
    const own = plain ? m[0].trim() : inside(m) + percentBehind(text.slice(endOf(m)));
    if (last && last.found.plain === plain && JOINER.test(text.slice(last.to, m.index))) {
      last.found.text += ` , ${own}`;
      last.to = endOf(m);
    } else parts.push({ from: m.index!, to: endOf(m), found: { text: own, plain } });
  }
  return parts.map(({ found }) => found);
}
