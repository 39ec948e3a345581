import { boxedContinuation } from "../answer/box.ts";
import type { Grade } from "../task.ts";

/**
 * Grades the forced box by its words: right if they are the gold's, whatever their case, spacing and punctuation. For
 * answers that are no mathematics.
 */
export function gradeByWords(gold: string, continuation: string): Grade {
  const answer = boxedContinuation(continuation);
  if (answer === null) return { reward: 0, correct: false, answer, rule: null };
  const correct = words(answer) === words(gold);
  return { reward: correct ? 100 : 10, correct, answer, rule: correct ? "same words" : "different words" };
}

/** Without the commands that models put around words in a box. */
function words(text: string): string {
  return text.replace(/\\(?:text|textbf|mathrm|mbox)\s*\{([^{}]*)\}/g, "$1").normalize("NFKC").toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)?.join(" ") ?? text.trim();
}
