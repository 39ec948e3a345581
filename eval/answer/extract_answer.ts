/** Finding the answer in a whole reply, by the signs that a task admits. The protocol of the method admits the box alone. */
import { boxedAnswer, roundedBox } from "./box.ts";
import { choiceLetter } from "./extract/choice_letter.ts";
import type { Extracted, Place } from "./extract/extracted.ts";
import { brief, finalAnswer } from "./extract/final_answer.ts";
import { isProse, lastNumber, lastSpan, percentBehind, statedParts } from "./extract/spans.ts";

/** A sign of the answer in a reply; `any` tries box, final, hashes, maths, number and choice in this order. */
export type Extraction = "none" | "box" | "final" | "hashes" | "maths" | "number" | "choice" | "any";

/** Characters at the end of a reply that are searched for maths, numbers and letters; boxes and sentences are found anywhere. */
const MAX_REPLY = 8000;

/**
 * The answer in a reply, or null where the sign is not there.
 *
 * `any`: the last box, unless a sentence such as "the final answer is ..." stands behind it; then the other signs. A reply
 * that is nothing but an answer is taken whole.
 */
export function extractAnswer(reply: string, how: Extraction): Extracted | null {
  switch (how) {
    case "none":
      return { text: reply, plain: false };
    case "box": {
      const box = boxedAnswer(reply);
      return box && inBox(reply, box.text);
    }
    case "final":
      return finalAnswer(reply)?.found ?? null;
    case "hashes":
      return hashes(reply.slice(-MAX_REPLY));
    case "maths":
      return lastSpan(reply.slice(-MAX_REPLY))?.found ?? null;
    case "number":
      return lastNumber(reply.slice(-MAX_REPLY))?.found ?? null;
    case "choice":
      return choiceLetter(reply.slice(-MAX_REPLY));
    case "any":
      return anySign(reply);
  }
}

/** The last box; where it only rounds the box before, that one with the rounded value beside it. */
function inBox(reply: string, text: string): Extracted {
  const pair = roundedBox(reply);
  return pair ? { text: pair.exact, plain: false, rounded: pair.rounded } : { text, plain: false };
}

function anySign(reply: string): Extracted | null {
  const box = boxedAnswer(reply);
  const final = finalAnswer(reply);
  if (box && (!final || final.at <= box.to)) {
    return inBox(reply, box.text + percentBehind(reply.slice(box.to)));
  }
  if (final) return final.found;
  const text = reply.slice(-MAX_REPLY);
  const open = /\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)$/.exec(text)?.[1].trim();
  if (open) return { text: open, plain: false };
  const marked = hashes(text);
  if (marked) return marked;
  if (!isProse(text)) return { text: text.trim(), plain: !/[$\\^_{}]/.test(text) };
  return later(lastSpan(text), lastNumber(text), text) ?? choiceLetter(text) ?? brief(text);
}

/**
 * The parts of a gold answer that is a sentence with several values, such as "radius $4$, area $16\pi$": each must be
 * matched. Null where a sign says which value is the answer, or where there is one.
 */
export function goldParts(gold: string, how: Extraction): Extracted[] | null {
  if ((how !== "any" && how !== "maths") || !isProse(gold)) return null;
  if (how === "any" && (boxedAnswer(gold) || finalAnswer(gold) || hashes(gold))) return null;
  const parts = statedParts(gold, how === "any");
  return parts.length > 1 ? parts : null;
}

/** As many values as there are parts in the gold answer, from all of a reply or from its last sentence; null where there are not. */
export function replyParts(reply: string, how: Extraction, count: number): Extracted[] | null {
  const text = reply.slice(-MAX_REPLY).trim();
  if (how === "any" && (boxedAnswer(text) || finalAnswer(text))) return null;
  const lastSentence = text.split(/(?<=[.!?。])\s+(?=\S)/).at(-1)!;
  for (const piece of [text, lastSentence]) {
    const parts = statedParts(piece, how === "any");
    if (parts.length === count) return parts;
  }
  return null;
}

/** The last maths span, unless a number stands in a later sentence. */
function later(span: Place | null, number: Place | null, text: string): Extracted | null {
  if (!span || !number) return (span ?? number)?.found ?? null;
  const newSentence = number.at > span.at &&
    /[.!?][\s$)\]\\]+[A-Z]/.test(text.slice(Math.max(0, span.at - 4), number.at));
  return newSentence ? number.found : span.found;
}

function hashes(text: string): Extracted | null {
  const found = [...text.matchAll(/####\s*([^\n]+)/g)].at(-1)?.[1].trim();
  return found ? { text: found, plain: true } : null;
}
