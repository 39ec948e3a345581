import { digamma, GAMMA_DRAWS, logGamma, logGammaDraw } from "./gamma.ts";
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

/** How a Dirichlet step is taken. */
export interface DirichletOptions {
  tau: number;
  /** k, the most probable tokens that take part. Default 5. */
  width?: number;
  /** Concentration: the larger, the nearer w stays to p^. */
  alpha: number;
}

/** The action: the tokens taking part and their weights, whose logarithms do not underflow. */
export interface DirichletAction extends Mixture {
  /** ln w [k]. */
  logWeights: Float64Array;
}

/**
 * Dirichlet thinking (from the program of arXiv 2511.06411; method section 8): S the k most probable tokens, p^ their
 * renormalised p(tau), w ~ Dirichlet(alpha p^), row = w E_S, shadow = the largest w.
 * ln pi = ln Gamma(alpha) - sum ln Gamma(alpha p^_i) + sum (alpha p^_i - 1) ln w_i, so that
 * d ln pi / d p^_i = alpha (ln w_i - psi(alpha p^_i)), and dz = p^ (that - p^ . that) / tau.
 * w is k gamma draws over their sum, the i-th for the i-th most probable token: `GAMMA_DRAWS` numbers each.
 */
export function dirichletWay({ tau, width = 5, alpha }: DirichletOptions): Way<DirichletAction> {
  const p = ({ logits }: StepInput, tokens: number[]) => probabilitiesOf(pick(logits, tokens), tau);
  return {
    name: `dirichlet ${width} at ${alpha}`,
    kind: "score function",
    draws: () => ({ uniforms: width * GAMMA_DRAWS.uniforms, normals: width * GAMMA_DRAWS.normals }),
    act(input, draws) {
      const tokens = topTokens(input.logits, width);
      const logGammas = p(input, tokens).map((value, i) => logGammaDraw(alpha * value, draws, i));
      const logWeights = logProbabilitiesOf(logGammas, 1);
      const action = { tokens, logWeights, weights: logWeights.map(Math.exp) };
      return { action, shadow: tokens[largestOf(logWeights)] };
    },
    row: (input, action) => mixRows(action, input),
    logProbability(input, { tokens, logWeights }) {
      return p(input, tokens).reduce(
        (sum, value, i) => sum - logGamma(alpha * value) + (alpha * value - 1) * logWeights[i],
        logGamma(alpha),
      );
    },
    score(input, { tokens, logWeights }) {
      const probabilities = p(input, tokens);
      // p^ g, for g alone is huge where p^ is tiny.
      const pg = probabilities.map((value, i) => value * alpha * (logWeights[i] - digamma(alpha * value)));
      const mean = sumOf(pg);
      const dz = pg.map((value, i) => (value - probabilities[i] * mean) / tau);
      return { logits: scatter(dz, tokens, input.logits.length) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}
