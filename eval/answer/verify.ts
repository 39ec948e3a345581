/** Is this answer equivalent to the gold answer? Rule-based, reproducible, and able to say why. */
import { equalRationals, formatRational, parseDecimal, type Rational } from "./rational.ts";

/** How to judge. */
export interface VerifyOptions {
  /** in seconds: the last guard, on top of the counted budgets */
  timeLimit?: number;
}

/** A verdict and its reason. */
export interface Verdict {
  equal: boolean;
  /** the rule that decided */
  rule: string;
  /** both sides as understood */
  gold: string;
  answer: string;
}

function plainNumber(text: string): Rational | null {
  const bare = text.trim().replace(/^\$(.*)\$$/s, "$1").replace(/^\\?\$/, "").replace(/\.$/, "").trim();
  const grouped = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(bare) ? bare.replaceAll(",", "") : bare;
  return parseDecimal(grouped);
}

/**
 * Judges one answer against a gold answer, or against several of which any one will do.
 *
 * @param gold the right answer, or answers of which one must match
 * @param answer the text to judge, already extracted
 */
export function verify(gold: string | string[], answer: string, _options: VerifyOptions = {}): Verdict {
  const golds = typeof gold === "string" ? [gold] : gold;
  let verdict: Verdict = { equal: false, rule: "no gold answer", gold: "", answer };
  for (const one of golds) {
    const a = plainNumber(one);
    const b = plainNumber(answer);
    if (one.trim() === answer.trim() && one.trim() !== "") {
      return { equal: true, rule: "identical text", gold: one, answer };
    }
    if (a && b) {
      verdict = {
        equal: equalRationals(a, b),
        rule: "exact numbers",
        gold: formatRational(a),
        answer: formatRational(b),
      };
    } else verdict = { equal: false, rule: "different text", gold: one, answer };
    if (verdict.equal) return verdict;
  }
  return verdict;
}
