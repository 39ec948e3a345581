import {
  largestOf,
  logProbabilitiesOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  pick,
  probabilitiesOf,
  scatter,
  sumOf,
  throughLogSoftmax,
  topTokens,
  type Way,
} from "./way.ts";

/** How a Gumbel-softmax step is taken and scored. */
export interface GumbelOptions {
  tau: number;
  /** k, the most probable tokens that take part. Default 5. */
  width?: number;
  /** Temperature of the relaxation. Default 0.1. */
  gumbelTau?: number;
  /**
   * "low-variance", the default: the density of w. "plain": the density of g. "published": as the authors' program does it,
   * a surrogate.
   */
  form?: "low-variance" | "plain" | "published";
}

/** The action: the tokens taking part, what was drawn for each, and the weights that follow. */
export interface GumbelAction extends Mixture {
  /** x [k] = exp(-G), exponential with mean 1 where G is not clamped. */
  x: Float64Array;
  /** g [k] = ln p^ + G. */
  g: Float64Array;
}

/** The published form's constants: G lies in [LEAST, MOST], ln p^ is ln(p^ + SHIFT) and counts above FAINT. */
const LEAST = -1.5;
const MOST = 3;
const SHIFT = 1e-6;
const FAINT = -3;

/**
 * Gumbel-softmax thinking (SofT-GRPO, arXiv 2511.06411; method section 8). S: the k most probable tokens, p^ their
 * renormalised p(tau); g = ln p^ + G, G = -ln x, x = -ln u; w = softmax(g / gumbelTau), row = w E_S, shadow = the largest w.
 * k uniforms, the i-th for the i-th most probable token.
 *
 * Plain: ln pi = sum_S of -(g - ln p^) - exp(-(g - ln p^)), so s = d ln pi / d ln p^ = 1 - x and dz = (s - p^ sum s) / tau.
 * Low variance: the row depends on w alone, and x / sum x is a function of w (x_i ~ p^_i w_i^-gumbelTau) independent of
 * sum x ~ Gamma(k), hence E[1 - x_i | w] = 1 - k x_i / sum x. It is the score of w's density, the concrete distribution
 * (arXiv 1611.00712, definition 1): ln pi = sum ln p^_i - (gumbelTau + 1) ln w_i, less k ln sum p^_i w_i^-gumbelTau.
 * Published: ln p^ is ln(p^ + 1e-6), G is clamped to [-1.5, 3] in the rollout and again where it is recomputed as
 * g - ln p^, and -G - exp(-G) is averaged over the tokens with ln p^ > -3. Where G was clamped the gradient passes here; in
 * floating point rounding decides, for g - ln p^ lies on either side of the bound.
 */
export function gumbelWay(options: GumbelOptions): Way<GumbelAction> {
  const { tau, width = 5, gumbelTau = 0.1, form = "low-variance" } = options;
  const published = form === "published";
  const logOf = (logits: Float64Array, tokens: number[]) => {
    const logP = logProbabilitiesOf(pick(logits, tokens), tau);
    return published ? logP.map((value) => Math.log(Math.exp(value) + SHIFT)) : logP;
  };
  return {
    name: `gumbel ${width} at ${gumbelTau}, ${form}`,
    kind: published ? "surrogate" : "score function",
    draws: () => ({ uniforms: width, normals: 0 }),
    act({ logits }, { uniforms }) {
      const tokens = topTokens(logits, width);
      const logP = logOf(logits, tokens);
      const x = logP.map((_, i) => {
        const drawn = -Math.log(uniforms[i]);
        return published ? Math.min(Math.max(drawn, Math.exp(-MOST)), Math.exp(-LEAST)) : drawn;
      });
      const g = logP.map((value, i) => value - Math.log(x[i]));
      const weights = probabilitiesOf(g, gumbelTau);
      return { action: { tokens, x, g, weights }, shadow: tokens[largestOf(g)] };
    },
    row: (input, action) => mixRows(action, input),
    logProbability({ logits }, { tokens, g }) {
      const logP = logOf(logits, tokens);
      if (form === "low-variance") {
        // From g instead of w: w underflows at small gumbelTau, and what g has beyond w cancels.
        const sum = logP.reduce((total, value, i) => total + Math.exp(value - g[i]), 0);
        return logP.reduce((total, value, i) => total + value - g[i], 0) - tokens.length * Math.log(sum);
      }
      const terms = logP.map((value, i) => {
        const G = published ? Math.min(Math.max(g[i] - value, LEAST), MOST) : g[i] - value;
        return -G - Math.exp(-G);
      });
      if (!published) return sumOf(terms);
      const counted = terms.filter((_, i) => logP[i] > FAINT);
      return sumOf(counted) / counted.length;
    },
    score({ logits }, { tokens, x }) {
      const p = probabilitiesOf(pick(logits, tokens), tau);
      const sum = sumOf(x);
      let s = x.map((value) => 1 - value);
      if (form === "low-variance") s = x.map((value) => 1 - tokens.length * value / sum);
      if (published) {
        const counts = p.map((value) => Math.log(value + SHIFT) > FAINT ? 1 : 0);
        const count = sumOf(counts);
        s = s.map((value, i) => counts[i] * value / count * p[i] / (p[i] + SHIFT));
      }
      return { logits: scatter(throughLogSoftmax(s, p, tau), tokens, logits.length) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}
