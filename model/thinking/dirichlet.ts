import { fewTokensThinking } from "./few_tokens.ts";
import type { Thinking } from "./thinking.ts";

/** Options of {@link dirichletThinking}. */
export interface DirichletOptions {
  /** Temperature of p; 1 if left out. */
  tau?: number;
  /** k, the likeliest tokens that are mixed. */
  width: number;
  /** The larger, the nearer the weights are to p^. */
  alpha: number;
  /** No noise: the mixture p^ E. */
  greedy: boolean;
  /** RMS(E). */
  unit: number;
}

/**
 * Dirichlet weights of the k likeliest tokens (SofT-GRPO, arXiv 2511.06411): w ~ Dir(alpha p^), row = w E. The score is that of the
 * density of w (method section 8): exact, but for jumps of the set of tokens.
 */
export function dirichletThinking({ tau = 1, width, alpha, greedy, unit }: DirichletOptions): Thinking {
  const how = { kind: "dirichlet", tau, random: !greedy, alpha } as const;
  return fewTokensThinking({ name: "dirichlet", width, how }, unit);
}
