import { fewTokensThinking } from "./few_tokens.ts";
import type { Thinking } from "./thinking.ts";

/** Options of {@link gumbelThinking}. */
export interface GumbelOptions {
  /** Temperature of p; 1 if left out. */
  tau?: number;
  /** k, the likeliest tokens that are mixed. */
  width: number;
  /** Temperature of the softmax over noisy ln p^. */
  gumbelTau: number;
  /** The noise clamped to [-1.5, 3], and the score the mean over tokens with ln p^ > -3: a surrogate, as SofT-GRPO has it. */
  asPublished: boolean;
  /** No noise: the mixture of softmax(ln p^ / gumbelTau). */
  greedy: boolean;
  /** RMS(E). */
  unit: number;
}

/**
 * Gumbel noise on the logarithms of the k likeliest tokens (SofT-GRPO, arXiv 2511.06411): g = ln p^ + G, w = softmax(g / gumbelTau), row = w E.
 * The score is that of the density of w, which the row depends on alone, s_i = 1 - k x_i / sum x with x = -ln u (method section 8):
 * exact, but for jumps of the set of tokens, and of less variance than that of g.
 */
export function gumbelThinking(
  { tau = 1, width, gumbelTau, asPublished, greedy, unit }: GumbelOptions,
): Thinking {
  const score = asPublished ? "published" : "weights";
  const how = { kind: "gumbel", tau, random: !greedy, temperature: gumbelTau, score } as const;
  return fewTokensThinking({ name: "gumbel", width, how }, unit);
}
