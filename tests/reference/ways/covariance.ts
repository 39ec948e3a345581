import {
  largestOf,
  logProbabilitiesOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  probabilitiesOf,
  sumOf,
  type Way,
} from "./way.ts";

/** How a step with the covariance of a sampled token is taken and scored. */
export interface CovarianceOptions {
  tau: number;
  /** eta: 0 is the bare mixture; 1 has a sampled token's own covariance. */
  eta: number;
  /** "exact", the default, or "mean": the mean's term alone, a surrogate. */
  score?: "exact" | "mean";
  /**
   * The covariance's term is taken for tokens with p above this. Default 0: all of them. Above 0 the score keeps mean
   * zero but loses what the others' p does to the covariance: a surrogate.
   */
  floor?: number;
}

/** The action: weights over the whole vocabulary, which sum to 1 and may be negative, and the noise in them. */
export interface CovarianceAction extends Mixture {
  /** f [V] = e - sqrt(p) (sqrt(p) . e): w = p + eta sqrt(p) f. Orthogonal to sqrt(p). */
  noise: Float64Array;
}

/**
 * Covariance noise (of this project; method section 8): w = p + eta sqrt(p) f, f = e - sqrt(p) (sqrt(p) . e), p = p(tau), has the
 * mean of a sampled token's one-hot and eta^2 times its covariance; row = w E; shadow = the largest w. V normals e.
 *
 * On the plane sum w = 1 the density is ln pi = -sum (w - p)^2 / (2 eta^2 p) - sum ln p / 2, so that d ln pi / dp_i =
 * w_i^2 / (2 eta^2 p_i^2) - 1 / (2 p_i) up to a constant, and in terms of the recorded noise, where nothing is divided by p:
 * dz = (sqrt(p) f / eta + q - p sum q) / tau, q_i = (f_i^2 - 1 + p_i) / 2. The first term is the mean's, (w - p) / eta^2; q is
 * the covariance's. The p_i in q_i cancels in q - p sum q as long as all tokens are in; with it each q_i has mean zero of
 * its own (f_i has variance 1 - p_i), so that leaving some out keeps the score's mean at 0 and baselines harmless.
 */
export function covarianceWay(options: CovarianceOptions): Way<CovarianceAction> {
  const { tau, eta, score = "exact", floor = 0 } = options;
  const exact = score === "exact" && floor === 0;
  const part = score === "exact" && floor > 0 ? `, covariance above ${floor}` : "";
  return {
    name: `covariance at ${eta}, ${score} score${part}`,
    kind: exact ? "score function" : "surrogate",
    draws: ({ logits }) => ({ uniforms: 0, normals: logits.length }),
    act({ logits }, { normals }) {
      const p = probabilitiesOf(logits, tau);
      const common = p.reduce((sum, value, i) => sum + Math.sqrt(value) * normals[i], 0);
      const noise = p.map((value, i) => normals[i] - Math.sqrt(value) * common);
      const weights = p.map((value, i) => value + eta * Math.sqrt(value) * noise[i]);
      return { action: { tokens: [...p.keys()], weights, noise }, shadow: largestOf(weights) };
    },
    row: (input, action) => mixRows(action, input),
    ...(exact && {
      logProbability({ logits }, { weights }) {
        const logP = logProbabilitiesOf(logits, tau);
        return weights.reduce((sum, w, i) => {
          const p = Math.exp(logP[i]);
          return sum - (w - p) ** 2 / (2 * eta * eta * p) - logP[i] / 2;
        }, 0);
      },
    }),
    score({ logits }, { noise }) {
      const p = probabilitiesOf(logits, tau);
      const q = p.map((value, i) => score === "exact" && value > floor ? (noise[i] ** 2 - 1 + value) / 2 : 0);
      const sum = sumOf(q);
      return { logits: p.map((value, i) => (Math.sqrt(value) * noise[i] / eta + q[i] - value * sum) / tau) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}
