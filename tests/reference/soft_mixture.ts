import { matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { softmax, softmaxBackward } from "./softmax.ts";

/** RMS(E) = sqrt(mean over all entries of E^2); sigma = gamma * RMS(E) (method section 2). */
export function rootMeanSquare(table: Float64Array): number {
  let sum = 0;
  for (const value of table) sum += value * value;
  return Math.sqrt(sum / table.length);
}

/** Sizes and temperature of a soft mixture. */
export interface MixtureShape {
  rows: number;
  vocabSize: number;
  d: number;
  tau: number;
  usedVocabSize?: number;
}

/** m [rows, d] = p(tau) E, E [vocabSize, d], and the probabilities [rows, vocabSize]. */
export function softMixture(
  logits: Float64Array,
  table: Float64Array,
  shape: MixtureShape,
): { mixture: Float64Array; probabilities: Float64Array } {
  const { rows, vocabSize, d, tau, usedVocabSize } = shape;
  const { probabilities } = softmax(logits, rows, vocabSize, tau, usedVocabSize);
  return { mixture: matmulNN(probabilities, table, rows, vocabSize, d), probabilities };
}

/** h~ = m + sigma * eps, all [rows, d]. */
export function addNoise(mixture: Float64Array, noise: Float64Array, sigma: number): Float64Array {
  return mixture.map((value, i) => value + sigma * noise[i]);
}

/** log pi [rows] = -||h~ - m||^2 / (2 sigma^2), without the constant of the density (method section 3). */
export function gaussianLogProbability(
  thought: Float64Array,
  mixture: Float64Array,
  sigma: number,
  rows: number,
): Float64Array {
  const d = mixture.length / rows;
  const out = new Float64Array(rows);
  for (let i = 0; i < mixture.length; i++) {
    out[Math.floor(i / d)] -= (thought[i] - mixture[i]) ** 2 / (2 * sigma * sigma);
  }
  return out;
}

/**
 * dL/dm [rows, d] when L holds coefficient[r] * log pi(h~_r): coefficient * eps / sigma, from the recorded noise
 * (method section 3, point 1). For the policy loss the coefficient is -A / (B G).
 */
export function noiseUpstream(
  noise: Float64Array,
  coefficients: ArrayLike<number>,
  sigma: number,
): Float64Array {
  const d = noise.length / coefficients.length;
  return noise.map((value, i) => coefficients[Math.floor(i / d)] * value / sigma);
}

/**
 * Gradients of `softMixture` for g = dL/dm [rows, d] (method section 3, point 4): with u = E g,
 * dz = p (u - p . u) / tau [rows, vocabSize], and the mixture's own path into E, dTable = p^T g [vocabSize, d].
 */
export function softMixtureBackward(
  dMixture: Float64Array,
  probabilities: Float64Array,
  table: Float64Array,
  shape: MixtureShape,
): { dLogits: Float64Array; dTable: Float64Array } {
  const { rows, vocabSize, d, tau } = shape;
  const u = matmulNT(dMixture, table, rows, d, vocabSize);
  return {
    dLogits: softmaxBackward(u, probabilities, rows, vocabSize, tau),
    dTable: matmulTN(probabilities, dMixture, vocabSize, rows, d),
  };
}
