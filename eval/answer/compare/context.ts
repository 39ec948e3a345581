/** What all comparisons share. */
import type { Finding } from "../algebra/same_scalar.ts";
import type { Steps } from "../budget.ts";
import type { Node } from "../node.ts";
import type { Rational } from "../rational.ts";

/** What a comparison goes by. */
export interface Context {
  steps: Steps;
  /** `50%` may also stand for bare 50 */
  percent: boolean;
  /** `204_5` may also stand for bare 204 */
  bases: boolean;
  /** names of variables count */
  strict: boolean;
  /** a predicted relation may stand for a gold interval */
  allowSetRelation: boolean;
  /** absolute tolerances, one for each gold value in turn; none means exact */
  tolerances: Rational[];
  /** which of them holds now */
  tolerance: number;
  /** whose claims are being understood: a gold answer is taken at its word, an answer must not contradict itself */
  side: "gold" | "answer";
  /** the gold answer is an equation */
  named: boolean;
  /** compares two parts, whatever they are */
  compare: (gold: Node, answer: Node, c: Context) => Finding;
}

/** "Not equal", with its reason. */
export const no = (rule: string, detail?: string): Finding => ({ equal: false, rule, detail });
