import { noiseLogProbability, type NoiseScale, noiseScore, sigmaOf } from "./noise_scale.ts";
import {
  largestOf,
  mixRows,
  mixRowsBackward,
  pick,
  probabilitiesOf,
  scatter,
  type StepInput,
  topTokens,
  type Way,
} from "./way.ts";

/** How noise on the logits is drawn and scored. */
export interface LogitNoiseOptions extends NoiseScale {
  tau: number;
  /** Noise on that many of the largest logits only. Default: on all. */
  width?: number;
  /**
   * With `width`: whether the other tokens are in the mixture, with their logits as they are. Then the row moves with
   * logits that are no part of the action: a surrogate. Default "dropped".
   */
  others?: "dropped" | "kept";
}

/** The action: the noisy logits. */
export interface LogitNoiseAction {
  /** S [n], or all ids. */
  tokens: number[];
  /** z~ [n]. */
  noisy: Float64Array;
  /** eps [n], as drawn. */
  noise: Float64Array;
}

/**
 * Noise on the logits (an ablation of arXiv 2509.19170; method section 8): z~ = z + sigma eps on all or the k largest, row =
 * softmax(z~ / tau) E, shadow = the largest z~. ln pi is the Gaussian density of z~; its score is in `noise_scale.ts`. One normal a
 * noisy logit, the i-th for the i-th largest (k largest) or for id i (all). The row is a function of z~ and E, so it
 * sends p~ g^T to E. The sum of all z~ changes nothing in the row: `differences` drops its part of the score.
 */
export function logitNoiseWay(options: LogitNoiseOptions): Way<LogitNoiseAction> {
  const { tau, width, follows = "constant", differences, others = "dropped" } = options;
  const kept = width !== undefined && others === "kept";
  if (kept && differences) {
    throw new Error(
      "Cannot score differences: with other logits kept, the row depends on the noisy ones' sum",
    );
  }
  const mixtureOf = ({ logits }: StepInput, { tokens, noisy }: LogitNoiseAction) => {
    if (!kept) return { tokens, weights: probabilitiesOf(noisy, tau) };
    const all = logits.slice();
    tokens.forEach((token, i) => all[token] = noisy[i]);
    return { tokens: [...logits.keys()], weights: probabilitiesOf(all, tau) };
  };
  const where = width === undefined ? "all logits" : `${width} logits${kept ? " among all" : ""}`;
  const scale = follows === "constant" ? "constant scale" : `moving scale, ${follows} score`;
  return {
    name: `noise on ${where}, ${scale}${differences ? ", differences" : ""}`,
    kind: follows === "published" || kept ? "surrogate" : "score function",
    draws: ({ logits }) => ({ uniforms: 0, normals: width ?? logits.length }),
    act(input, { normals }) {
      const { logits } = input;
      const tokens = width === undefined ? [...logits.keys()] : topTokens(logits, width);
      const values = pick(logits, tokens);
      const sigma = sigmaOf(values, options);
      const noise = values.map((_, i) => normals[i]);
      const noisy = values.map((z, i) => z + sigma * noise[i]);
      const action = { tokens, noisy, noise };
      const mixture = mixtureOf(input, action);
      return { action, shadow: mixture.tokens[largestOf(mixture.weights)] };
    },
    row: (input, action) => mixRows(mixtureOf(input, action), input),
    ...(follows !== "published" && {
      logProbability: ({ logits }, { tokens, noisy }) =>
        noiseLogProbability(pick(logits, tokens), noisy, options),
    }),
    score({ logits }, { tokens, noise }) {
      const dz = noiseScore(pick(logits, tokens), noise, options);
      return { logits: scatter(dz, tokens, logits.length) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(mixtureOf(input, action), input, dRow) }),
  };
}
