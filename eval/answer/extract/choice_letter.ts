/** The letter of a choice in a reply. */
import { boxedAnswer } from "../box.ts";
import type { Extracted } from "./extracted.ts";
import { finalAnswer } from "./final_answer.ts";

const FACES = String.raw`(?:\\(?:text|textbf|textrm|mathrm|mathbf|mbox)\s*\{|[\s*$({[])*`;
const AT_START = new RegExp(`^${FACES}([A-J])(?![A-Za-z'’])`);
const LETTER = String.raw`(?<![A-Za-z'’\\])\(?([A-J])\)?(?![A-Za-z'’])`;

/** Words that say of a letter that it is the answer. */
const CLAIMED = [
  new RegExp(
    LETTER + String.raw`\s+(?:is|must be|should be|seems|has to be)\s+` +
      "(?:(?:clearly|obviously|definitely|thus|therefore|indeed|then|the|my|our)\\s+)*(?:right|correct|true|best|answer|only|one\\b|choice)",
    "g",
  ),
  new RegExp(
    String
      .raw`\b(?:choose|pick|select|choosing|go with|chose)\s+(?:the\s+)?(?:option|choice|answer|letter)?\s*` +
      LETTER,
    "gi",
  ),
];

const DENIED_BEHIND = new RegExp(
  String.raw`^(?:\s*(?:,|and|or|nor|&|,\s*and|,\s*or)\s*\(?[A-J]\)?(?![A-Za-z]))*\s*` +
    "(?:(?:is|are|was|were|must be|would be|both|all|clearly|obviously|also)\\s+)*" +
    "(?:wrong|incorrect|false|fails?\\b|failed\\b|impossible|invalid|not\\b|(?:is|are)n['’]t|cannot|can['’]t|do(?:es)?(?:n['’]t| not)|" +
    "ruled out|eliminated|excluded|out\\b|too\\b)",
);
const DENIED_BEFORE =
  /(?:\bnot|n['’]t|\bneither|\bnor|\bthan|\binstead of|\bexcept|\belimin\w+|\bexclud\w+|\brul\w+ out)\s+(?:(?:be|option|choice|answer|letter|both)\s+)*(?:\(?[A-J]\)?\s*(?:,|and|or|nor)\s*)*$/i;
/** "A man" begins with an article. */
const ARTICLE = /^\s+(?!is\b|was\b|and\b|or\b|as\b|because\b|since\b|must\b|for\b)[a-z]/;

/** The letter of a choice: boxed, called the answer, said to be right; else the last one, in brackets or alone, that no words deny. */
export function choiceLetter(text: string): Extracted | null {
  const letter = signed(text) ?? claimed(text) ?? last(text, /\(([A-J])\)/g) ??
    last(text, /(?<![A-Za-z'’])([A-J])(?![A-Za-z'’])/g);
  return letter === null ? null : { text: letter, plain: false };
}

function signed(text: string): string | null {
  const box = boxedAnswer(text);
  const final = finalAnswer(text);
  const inBox = box && AT_START.exec(box.text)?.[1];
  const inFinal = final && AT_START.exec(final.found.text)?.[1];
  return inBox && inFinal ? (final.at > box.to ? inFinal : inBox) : inBox ?? inFinal ?? null;
}

function claimed(text: string): string | null {
  const found = CLAIMED.flatMap((pattern) => [...text.matchAll(pattern)])
    .filter((m) => !DENIED_BEFORE.test(text.slice(0, m.index))).sort((a, b) => a.index - b.index);
  return found.at(-1)?.[1] ?? null;
}

function last(text: string, pattern: RegExp): string | null {
  return [...text.matchAll(pattern)].findLast((m) => {
    const behind = text.slice(m.index + m[0].length, m.index + m[0].length + 80);
    const before = text.slice(Math.max(0, m.index - 80), m.index);
    return !DENIED_BEHIND.test(behind) && !DENIED_BEFORE.test(before) &&
      !(m[0] === "A" && ARTICLE.test(behind));
  })?.[1] ?? null;
}
