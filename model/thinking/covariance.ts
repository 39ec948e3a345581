import { fewTokensThinking } from "./few_tokens.ts";
import type { Thinking } from "./thinking.ts";

/** Options of {@link covarianceThinking}. */
export interface CovarianceOptions {
  /** Temperature of p; 1 if left out. */
  tau?: number;
  /** k, the likeliest tokens that are mixed. */
  width: number;
  /** Size of the noise: at 1 the row has the mean and the covariance of a drawn token's. */
  eta: number;
  /** The score of the covariance too, which has the same variance for every token however rare: exact, and noisier. */
  wholeScore: boolean;
  /** No noise: the mixture p^ E. */
  greedy: boolean;
  /** RMS(E). */
  unit: number;
}

/**
 * Noise with the covariance of a drawn token: w = p^ + eta (sqrt(p^) e - p^ (sqrt(p^) . e)), row = w E (method section 8), a dial between hard and
 * soft thinking. Its score is that of the mean alone, a surrogate, unless the whole is asked for.
 */
export function covarianceThinking(
  { tau = 1, width, eta, wholeScore, greedy, unit }: CovarianceOptions,
): Thinking {
  const score = wholeScore ? "whole" : "mean";
  const how = { kind: "covariance", tau, random: !greedy, eta, score } as const;
  return fewTokensThinking({ name: "covariance", width, how }, unit);
}
