import { sumOf } from "./way.ts";

/** Standard deviation of noise on an array, and how the gradient treats it. */
export interface NoiseScale {
  /** The standard deviation; or, where it follows the array, a multiple of the array's root mean square. */
  scale: number;
  /**
   * "constant", the default: `scale` itself, measured beforehand. "published": scale * RMS(values), the score taken as if that
   * were a constant, a surrogate. "own": the same noise with the score of its own density.
   */
  follows?: "constant" | "published" | "own";
  /**
   * What follows depends on differences of the values alone: the score is that of the differences, which has the same
   * mean and 1 / n less variance. Default false.
   */
  differences?: boolean;
}

/** sigma of the noise on `values` [n]. */
export function sigmaOf(values: Float64Array, { scale, follows = "constant" }: NoiseScale): number {
  if (follows === "constant") return scale;
  return scale * Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}

/** ln of the density of noisy [n] = values + sigma eps, less its constant. */
export function noiseLogProbability(values: Float64Array, noisy: Float64Array, how: NoiseScale): number {
  const sigma = sigmaOf(values, how);
  const deviation = free(noisy.map((v, i) => v - values[i]), how);
  const square = deviation.reduce((sum, v) => sum + v * v, 0);
  return -square / (2 * sigma * sigma) - degrees(values, how) * Math.log(sigma);
}

/**
 * The score [n] for `values`, from the recorded noise eps [n]: eps / sigma; and where sigma = scale RMS(values) has a score of
 * its own, (|eps|^2 - n) v / (n RMS^2) more, from d ln sigma / dv = v / (n RMS^2). Of differences: eps less its mean, n - 1
 * degrees of freedom.
 */
export function noiseScore(values: Float64Array, eps: Float64Array, how: NoiseScale): Float64Array {
  const sigma = sigmaOf(values, how);
  const noise = free(eps, how);
  const excess = noise.reduce((sum, v) => sum + v * v, 0) - degrees(values, how);
  const square = values.reduce((sum, v) => sum + v * v, 0);
  return values.map((v, i) => noise[i] / sigma + (how.follows === "own" ? excess * v / square : 0));
}

function free(values: Float64Array, { differences }: NoiseScale): Float64Array {
  if (!differences) return values;
  const mean = sumOf(values) / values.length;
  return values.map((v) => v - mean);
}

const degrees = (values: Float64Array, { differences }: NoiseScale) => values.length - (differences ? 1 : 0);
