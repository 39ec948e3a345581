import {
  largestOf,
  logProbabilitiesOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  pick,
  probabilitiesOf,
  scatter,
  type StepInput,
  sumOf,
  topTokens,
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
  /** k, the most probable tokens that take part, p being renormalised among them. Default: the whole vocabulary. */
  width?: number;
}

/** The action: weights of the tokens, which sum to 1 and may be negative, and the noise in them. */
export interface CovarianceAction extends Mixture {
  /** f [k] = e - sqrt(p) (sqrt(p) . e): w = p + eta sqrt(p) f. Orthogonal to sqrt(p). */
  noise: Float64Array;
}

/**
 * Covariance noise (of this project; method section 8): w = p + eta sqrt(p) f, f = e - sqrt(p) (sqrt(p) . e), p = p(tau), has the
 * mean of a sampled token's one-hot and eta^2 times its covariance; row = w E; shadow = the largest w. V normals e,
 * by ids; with a width k, p is that of the k most probable tokens among themselves, and the i-th of k normals is for the i-th of them.
 *
 * On the plane sum w = 1 the density is ln pi = -sum (w - p)^2 / (2 eta^2 p) - sum ln p / 2, so that d ln pi / dp_i =
 * w_i^2 / (2 eta^2 p_i^2) - 1 / (2 p_i) up to a constant, and in terms of the recorded noise, where nothing is divided by p:
 * dz = (sqrt(p) f / eta + q - p sum q) / tau, q_i = (f_i^2 - 1 + p_i) / 2. The first term is the mean's, (w - p) / eta^2; q is
 * the covariance's. The p_i in q_i cancels in q - p sum q as long as all tokens are in; with it each q_i has mean zero of
 * its own (f_i has variance 1 - p_i), so that leaving some out keeps the score's mean at 0 and baselines harmless.
 */
export function covarianceWay(options: CovarianceOptions): Way<CovarianceAction> {
  const { tau, eta, score = "exact", floor = 0, width } = options;
  const exact = score === "exact" && floor === 0;
  const part = score === "exact" && floor > 0 ? `, covariance above ${floor}` : "";
  const tokensOf = (logits: Float64Array) =>
    width === undefined ? [...logits.keys()] : topTokens(logits, width);
  const among = ({ logits }: StepInput, tokens: number[]) => probabilitiesOf(pick(logits, tokens), tau);
  return {
    name: `covariance ${width === undefined ? "" : `${width} `}at ${eta}, ${score} score${part}`,
    kind: exact ? "score function" : "surrogate",
    draws: ({ logits }) => ({ uniforms: 0, normals: width ?? logits.length }),
    act(input, { normals }) {
      const tokens = tokensOf(input.logits);
      const p = among(input, tokens);
      const common = p.reduce((sum, value, i) => sum + Math.sqrt(value) * normals[i], 0);
      const noise = p.map((value, i) => normals[i] - Math.sqrt(value) * common);
      const weights = p.map((value, i) => value + eta * Math.sqrt(value) * noise[i]);
      return { action: { tokens, weights, noise }, shadow: tokens[largestOf(weights)] };
    },
    row: (input, action) => mixRows(action, input),
    ...(exact && {
      logProbability({ logits }, { tokens, weights }) {
        const logP = logProbabilitiesOf(pick(logits, tokens), tau);
        return weights.reduce((sum, w, i) => {
          const p = Math.exp(logP[i]);
          return sum - (w - p) ** 2 / (2 * eta * eta * p) - logP[i] / 2;
        }, 0);
      },
    }),
    score(input, { tokens, noise }) {
      const p = among(input, tokens);
      const q = p.map((value, i) => score === "exact" && value > floor ? (noise[i] ** 2 - 1 + value) / 2 : 0);
      const sum = sumOf(q);
      const dz = p.map((value, i) => (Math.sqrt(value) * noise[i] / eta + q[i] - value * sum) / tau);
      return { logits: scatter(dz, tokens, input.logits.length) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}
