/**
 * Advantages of one group's rewards (method section 3, and its rivals). The estimator is (1 / G) sum_g A_g S_g, with S_g the sum of the
 * scores of rollout g. "Unbiased" below means that its mean is the gradient of the expected reward.
 */

/** Leave-one-out (RLOO, arXiv 2402.14740): r less the mean of the others. Unbiased. */
export function rloo(rewards: number[]): number[] {
  const sum = total(rewards);
  return rewards.map((r) => r - (sum - r) / (rewards.length - 1));
}

/** Dr. GRPO (arXiv 2503.20783): r less the mean of all, its own among them: `rloo` times (G - 1) / G, as is its mean. */
export function drGrpo(rewards: number[]): number[] {
  const mean = total(rewards) / rewards.length;
  return rewards.map((r) => r - mean);
}

/**
 * GRPO (arXiv 2402.03300): that over the group's standard deviation, which the published programs take with G - 1 and an eps of
 * 1e-6 or 1e-4 beside. The divisor depends on all actions of the group: biased, by more than a factor.
 */
export function grpo(rewards: number[], eps = 1e-6): number[] {
  const centred = drGrpo(rewards);
  const deviation = Math.sqrt(centred.reduce((sum, a) => sum + a * a, 0) / (rewards.length - 1));
  return centred.map((a) => a / (deviation + eps));
}

/**
 * MaxRL (arXiv 2602.02710): (r - mean) / mean, and 0 where the mean is 0. For rewards 0 and 1 with success probability p its mean is
 * the gradient of -sum_(k=1)^(G-1) (1 - p)^k / k, the likelihood ln p to order G - 1: grad p times (1 - (1 - p)^(G-1)) / p.
 * (The share of successes alone gives order G; the groups without success, left out, owe the last term.)
 */
export function maxRl(rewards: number[]): number[] {
  const mean = total(rewards) / rewards.length;
  return rewards.map((r) => mean === 0 ? 0 : (r - mean) / mean);
}

/**
 * Leave-one-out for antithetic pairs: rollouts 2 i and 2 i + 1 think with noise +eps and -eps. The partner's reward is no baseline,
 * for it depends on the same noise: `rloo` gives the first step G / (G - 1) times its gradient, and later steps, where the
 * partners' states differ, no fixed multiple. So the pair is left out: r less the mean of the other G - 2. Unbiased.
 */
export function pairedRloo(rewards: number[]): number[] {
  if (rewards.length < 4 || rewards.length % 2 === 1) {
    throw new Error(
      `Cannot leave out pairs of ${rewards.length} rollouts: an even number of at least 4 is needed`,
    );
  }
  const sum = total(rewards);
  return rewards.map((r, g) => r - (sum - r - rewards[g ^ 1]) / (rewards.length - 2));
}

const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
