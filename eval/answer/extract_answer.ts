/** Finding the answer in a whole reply, by the signs that a task admits. The protocol of the method admits the box alone. */
import { boxedAnswer } from "./box.ts";

/** A sign of the answer in a reply; `any` tries box, final, hashes, maths, number and choice in this order. */
export type Extraction = "none" | "box" | "final" | "hashes" | "maths" | "number" | "choice" | "any";

/** What was found. `plain` says that it stood outside of maths, where `1,5` is a decimal and `5 m` five metres. */
interface Extracted {
  text: string;
  plain: boolean;
}

/** Characters at the end of a reply that are searched. */
const MAX_REPLY = 8000;

/**
 * The answer in a reply, or null where the sign is not there.
 *
 * `any`: the last box, unless a sentence such as "the final answer is ..." stands behind it; then the other signs. A reply
 * that is nothing but an answer is taken whole.
 */
export function extractAnswer(reply: string, how: Extraction): Extracted | null {
  const text = reply.slice(-MAX_REPLY);
  switch (how) {
    case "none":
      return { text: reply, plain: false };
    case "box": {
      const box = boxedAnswer(text);
      return box && { text: box.text, plain: false };
    }
    case "final":
      return finalAnswer(text)?.found ?? null;
    case "hashes":
      return hashes(text);
    case "maths":
      return lastSpan(text)?.found ?? null;
    case "number":
      return lastNumber(text)?.found ?? null;
    case "choice":
      return choice(text);
    case "any":
      return anySign(text);
  }
}

function anySign(text: string): Extracted | null {
  const box = boxedAnswer(text);
  const final = finalAnswer(text);
  if (box && (!final || final.at <= box.to)) {
    return { text: box.text + percentBehind(text.slice(box.to)), plain: false };
  }
  if (final) return final.found;
  const open = /\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)$/.exec(text)?.[1].trim();
  if (open) return { text: open, plain: false };
  const marked = hashes(text);
  if (marked) return marked;
  if (!isProse(text)) return { text: text.trim(), plain: !/[$\\^_{}]/.test(text) };
  return later(lastSpan(text), lastNumber(text), text) ?? choice(text) ?? brief(text);
}

/** `\boxed{28}$ pct`: the sign outside the box belongs to the answer. */
function percentBehind(rest: string): string {
  return /^[\s$]*(?:\\?%|percent\b|percentage\b|pct\b)/.test(rest) ? "\\%" : "";
}

interface Place {
  found: Extracted;
  at: number;
}

const FINAL = /\b(?:final answer(?: is|:)|answer(?: is|:| should be)|final answer)[\s:*]*/gi;

/** The sentence behind the last "final answer is", or the answer in it. */
function finalAnswer(text: string): Place | null {
  const matches = [...text.matchAll(FINAL)];
  for (const m of matches.reverse()) {
    const at = m.index + m[0].length;
    const sentence = /^[^\n]*?(?=\.(?:\s|$)|\n|<\||$)/.exec(text.slice(at, at + 2000))?.[0].trim() ?? "";
    if (sentence === "") continue;
    const box = boxedAnswer(sentence);
    const found = box
      ? { text: box.text + percentBehind(sentence.slice(box.to)), plain: false }
      : inSentence(sentence);
    if (found) return { found, at };
  }
  return null;
}

function inSentence(sentence: string): Extracted | null {
  if (!isProse(sentence)) return { text: sentence, plain: !/[$\\^_{}]/.test(sentence) };
  const span = lastSpan(sentence);
  const number = lastNumber(sentence);
  if (span && (!number || number.at < span.at)) return span.found;
  return number?.found ?? brief(sentence);
}

/** The last maths span, unless a number stands in a later sentence. */
function later(span: Place | null, number: Place | null, text: string): Extracted | null {
  if (!span || !number) return (span ?? number)?.found ?? null;
  const newSentence = number.at > span.at &&
    /[.!?][\s$)\]\\]+[A-Z]/.test(text.slice(Math.max(0, span.at - 4), number.at));
  return newSentence ? number.found : span.found;
}

const WORDS_OF_MATHS = new Set(
  ("and or sin cos tan cot sec csc log sqrt percent percentage pct dollars dollar cents miles feet inches units degrees hours minutes " +
    "meters days years").split(" "),
);

/** True if words stand outside of maths that are not part of an answer. */
function isProse(text: string): boolean {
  const outside = text.replace(/\$\$[^$]*\$\$|\$[^$]*\$|\\\[[\s\S]*?\\\]|\\\([\s\S]*?\\\)/g, " ")
    .replace(/\\(?:text|mbox|mathrm|textbf|textnormal)\s*\{[^{}]*\}/g, " ").replace(/\\[A-Za-z]+/g, " ")
    .replace(/(?<=[\d)])or(?=[A-Z(\d-])/g, " ");
  return (outside.match(/[A-Za-z]{3,}/g) ?? []).some((word) => !WORDS_OF_MATHS.has(word.toLowerCase()));
}

const SPAN = /\$\$([\s\S]+?)\$\$|(?<!\\)\$((?:[^$\\]|\\[\s\S])+?)\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)/g;

/** The last maths span, with the spans that `and`, `or` and commas join to it, and with a percent sign behind it. */
function lastSpan(text: string): Place | null {
  const spans = [...text.matchAll(SPAN)];
  const last = spans.at(-1);
  if (!last) return null;
  const parts = [inside(last)];
  let start = last.index;
  for (let k = spans.length - 2; k >= 0; k--) {
    const end = spans[k].index + spans[k][0].length;
    if (!/^\s*(?:,|and|or|,\s*and|,\s*or)\s*$/.test(text.slice(end, start))) break;
    start = spans[k].index;
    parts.unshift(inside(spans[k]));
  }
  const end = last.index + last[0].length;
  return { found: { text: parts.join(" , ") + percentBehind(text.slice(end)), plain: false }, at: end };
}

const inside = (m: RegExpMatchArray): string => (m[1] ?? m[2] ?? m[3] ?? m[4]).trim();

const NUMBER =
  /(?<![\w\\.,])[-−+]?(?:\\?\$|[€£])?\s?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?!\d)|\d+(?:[.,]\d+)?|\.\d+)(?:\s?\/\s?\d+)?(?:\s?(?:\\?%|percent\b|percentage\b|pct\b))?(?![A-Za-z_]{4}|[A-Z]|\d)/g;

function lastNumber(text: string): Place | null {
  const last = [...text.matchAll(NUMBER)].at(-1);
  return last ? { found: { text: last[0].trim(), plain: true }, at: last.index } : null;
}

function hashes(text: string): Extracted | null {
  const found = [...text.matchAll(/####\s*([^\n]+)/g)].at(-1)?.[1].trim();
  return found ? { text: found, plain: true } : null;
}

/** The letter of a choice, alone or in brackets. */
function choice(text: string): Extracted | null {
  const bracketed = [...text.matchAll(/\(([A-J])\)/g)].at(-1)?.[1];
  const bare = bracketed ?? [...text.matchAll(/(?<![A-Za-z'’])([A-J])(?![A-Za-z'’])/g)].at(-1)?.[1];
  return bare ? { text: bare, plain: false } : null;
}

/** A word or two without a sign of anything else. */
function brief(text: string): Extracted | null {
  const words = text.replace(/[*"“”]/g, "").trim();
  return /^[A-Za-z][A-Za-z -]{0,40}\.?$/.test(words) && words.split(/\s+/).length <= 4
    ? { text: words, plain: false }
    : null;
}
