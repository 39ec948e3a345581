/** A kind of answer that is easily misread, with pairs of it: [gold, answer, options]. */
import type { VerifyOptions } from "../../../../../eval/answer/verify.ts";

/** A pair and how it is judged; exact where no options are given. */
export type Judged = [gold: string, answer: string, options?: VerifyOptions];

/** Pairs of one kind. Those without `extract` are judged both ways round. */
export interface Kind {
  /** what must be equal */
  same: Judged[];
  /** what must not be equal */
  different: Judged[];
  /** what looks like `same` and is not: the rules of the kind must not reach so far */
  near: Judged[];
}

/** LaTeX as it is written. */
export const R = String.raw;
