/**
 * Counted budgets. A verdict never depends on the machine's load: what is too large is refused by counting characters,
 * nodes, digits and steps, and only then, as the last guard, by the clock (see verify.ts).
 */

/** Characters of one answer; longer ones are compared as text alone. */
export const MAX_CHARS = 2000;
/** Nodes of one parsed answer. */
export const MAX_NODES = 1500;
/** Nesting of one parsed answer. */
export const MAX_DEPTH = 60;
/** Binary digits of any exact integer that is computed: 2004! has 19,000, the largest seen in a gold answer. */
export const MAX_BITS = 32_768;
/** Members of a list, tuple or set, after plus-minus signs are written out. */
export const MAX_ITEMS = 64;
/** Steps of exact algebra (a step is one product of two monomials) for one pair. */
export const MAX_STEPS = 20_000;
/** Terms of one polynomial. */
export const MAX_TERMS = 600;
/** Terms of one finite sum or product that is written out. */
export const MAX_SUM_TERMS = 500;

/** Thrown when a counted budget is spent: the pair is then "not equal: too large to decide". */
export class TooLarge extends Error {
  override name = "TooLarge";
}

/** Thrown for what has no value: a zero denominator, an operation the rules do not know. */
export class Undecidable extends Error {
  override name = "Undecidable";
}

/** Steps left for one pair. */
export interface Steps {
  left: number;
}

/** Takes `n` steps, or throws {@linkcode TooLarge}. */
export function spend(steps: Steps, n = 1): void {
  steps.left -= n;
  if (steps.left < 0) throw new TooLarge("steps");
}
