import type { Gpu } from "../../gpu/gpu.ts";
import { categorical } from "../../gpu/ops/categorical/categorical.ts";
import { weighByRatio } from "../../gpu/ops/categorical/weigh_by_ratio.ts";
import type { Tensor } from "../../gpu/tensor.ts";

/**
 * The largest weight that an action of an older policy gets: its importance ratio r = pi / pi_old is truncated there, min(r, 2), and counts as a
 * constant (method section 10). Small ratios stay as they are, and no action loses its gradient, as it would by PPO's two-sided clip.
 */
export const MOST_RATIO = 2;

/** Actions of an older policy, row by row. */
export interface OlderActions {
  /** [rows]: ln pi_old of each token, as the rollout had it; what a Gaussian row's density was follows from its noise. */
  logp: Tensor;
  /** [rows]: becomes ln (pi / pi_old) of each action, not truncated. */
  logRatio: Tensor;
}

/** Tokens that were drawn from softmax(z / tau): what {@link scoreTokens} is given. */
export interface DrawnTokens {
  /** Logits [rows, width], of which the first `vocab` are real; become weight * d ln pi / dz. */
  z: Tensor;
  vocab: number;
  tau: number;
  /** u32 [rows]. */
  tokens: Tensor;
  /** dL/d(ln pi) of each [rows]; become those that were taken, where the policy is another. */
  weights: Tensor;
  /** [rows]: becomes ln pi of each. */
  logp: Tensor;
  /** Where an older policy drew them. */
  older?: OlderActions;
}

/** The gradient of drawn tokens' log-probabilities; where an older policy drew them, each is weighed by its truncated importance ratio. */
export function scoreTokens(gpu: Gpu, { z, vocab, tau, tokens, weights, logp, older }: DrawnTokens): void {
  if (older) {
    categorical(gpu, z, vocab, tau, tokens, weights, logp, false);
    weighByRatio(gpu, { logp, old: older.logp, weights, logRatio: older.logRatio }, MOST_RATIO);
  }
  categorical(gpu, z, vocab, tau, tokens, weights, logp, true);
}
