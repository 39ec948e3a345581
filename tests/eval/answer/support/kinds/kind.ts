/** A kind of answer that is easily misread, with pairs of it: [gold, answer, options]. */
import type { VerifyOptions } from "../../../../../eval/answer/verify.ts";

/** A pair and how it is judged; exact where no options are given. */
export type Judged = [gold: string, answer: string, options?: VerifyOptions];

/** Pairs of one kind. They are judged both ways round, save those with `extract` and those of kinds that say `oneWay`. */
export interface Kind {
  /** golds are read otherwise than answers */
  oneWay?: true;
  /** what must be equal */
  same: Judged[];
  /** what must not be equal */
  different: Judged[];
  /** what looks like `same` and is not: the rules of the kind must not reach so far */
  near: Judged[];
}

/** LaTeX as it is written. */
export const R = String.raw;
