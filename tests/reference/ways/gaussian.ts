import { addNoise, gaussianLogProbability, softMixture, softMixtureBackward } from "../soft_mixture.ts";
import { largestOf, type StepInput, type Way } from "./way.ts";

/** A Gaussian action is the row itself. */
export interface GaussianAction {
  /** h~ [d]. */
  row: Float64Array;
  /** eps [d], as drawn. */
  noise: Float64Array;
}

/**
 * Soft and fuzzy thinking (arXiv 2509.19170; method sections 2 and 3): h~ = p(tau) E + sigma eps; the shadow is the most
 * probable token. ln pi = -||h~ - m||^2 / (2 sigma^2); with g = eps / sigma, from the recorded noise, dz = p (u - p . u) / tau
 * where u = E g, and dE = p g^T. d normals. The row is the action, a constant: it sends nothing to E.
 */
export function gaussianWay(name: "soft" | "fuzzy", tau: number, sigma: number): Way<GaussianAction> {
  const shapeOf = ({ logits, table }: StepInput) => {
    const vocabSize = logits.length;
    return { rows: 1, vocabSize, d: table.length / vocabSize, tau };
  };
  const mixtureOf = (input: StepInput) => softMixture(input.logits, input.table, shapeOf(input));
  return {
    name,
    kind: "score function",
    draws: ({ table, logits }) => ({ uniforms: 0, normals: table.length / logits.length }),
    act(input, { normals }) {
      const { mixture } = mixtureOf(input);
      const noise = mixture.map((_, i) => normals[i]);
      return { action: { row: addNoise(mixture, noise, sigma), noise }, shadow: largestOf(input.logits) };
    },
    row: (_, { row }) => row,
    logProbability: (input, { row }) => gaussianLogProbability(row, mixtureOf(input).mixture, sigma, 1)[0],
    score(input, { noise }) {
      const g = noise.map((eps) => eps / sigma);
      const { dLogits, dTable } = softMixtureBackward(
        g,
        mixtureOf(input).probabilities,
        input.table,
        shapeOf(input),
      );
      return { logits: dLogits, table: dTable };
    },
    rowBackward: () => ({}),
  };
}
