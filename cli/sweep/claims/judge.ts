import type { Crossed } from "../../compare/crossed.ts";

/** What a run of the claims says of one: see docs/claims.md, which had the rule before any run. */
export type Verdict = "holds" | "does not hold" | "cannot be told";

/** Standard errors that a quantity has to be away from its bound. */
export const TOLD = 3;

/** A quantity that a claim says to be above a bound. */
export interface Part {
  /** What is measured, such as `pass@1, greedy tokens: soft - hard`. */
  what: string;
  value: number | null;
  standardError: number | null;
  bound: number;
  /** Standard errors above the bound; null where the error is not known. */
  errors: number | null;
  verdict: Verdict;
}

/** Judges one quantity; null, or one without an error, cannot be told. */
export function judge(what: string, quantity: Crossed | null, bound: number): Part {
  const { value, standardError } = quantity ?? { value: null, standardError: null };
  const errors = value === null || standardError === null ? null : errorsAbove(value - bound, standardError);
  const verdict = errors === null || Math.abs(errors) < TOLD
    ? "cannot be told"
    : errors > 0
    ? "holds"
    : "does not hold";
  return { what, value, standardError, bound, errors, verdict };
}

/** Without any scatter a difference is as sure as can be, and none is none. */
const errorsAbove = (above: number, error: number): number =>
  above === 0 ? 0 : error === 0 ? Math.sign(above) * Infinity : above / error;

/** A claim of several parts: all hold, or one does not. */
export function all(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("does not hold")) return "does not hold";
  return verdicts.length > 0 && verdicts.every((one) => one === "holds") ? "holds" : "cannot be told";
}

/** A claim of one line or another: it holds for one, or for none. */
export function any(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("holds")) return "holds";
  return verdicts.length > 0 && verdicts.every((one) => one === "does not hold")
    ? "does not hold"
    : "cannot be told";
}
