/** Filters on a distribution over tokens; each left out is off. */
export interface SamplingFilters {
  temperature?: number;
  /** Keep the k largest logits, and every logit equal to the k-th. */
  topK?: number;
  /** Keep the smallest set of likeliest tokens whose probability reaches topP, and ties of its last. */
  topP?: number;
  /** Keep tokens with p >= minP * (largest p). */
  minP?: number;
}

/**
 * The distribution to sample from, [logits.length], summing to 1: temperature, top-k, top-p, min-p, in the order
 * of Hugging Face's warpers, each on the renormalised result of the one before.
 */
export function filteredProbabilities(logits: Float64Array, filters: SamplingFilters = {}): Float64Array {
  const { temperature = 1, topK, topP, minP } = filters;
  const largest = largestOf(logits);
  let p = normalised(logits.map((z) => Math.exp((z - largest) / temperature)));
  if (topK !== undefined && topK < p.length) {
    const kth = descending(logits)[topK - 1];
    p = normalised(p.map((value, i) => logits[i] >= kth ? value : 0));
  }
  if (topP !== undefined && topP < 1) {
    const last = smallestOfNucleus(p, topP);
    p = normalised(p.map((value) => value >= last ? value : 0));
  }
  if (minP !== undefined) {
    const least = minP * largestOf(p);
    p = normalised(p.map((value) => value >= least ? value : 0));
  }
  return p;
}

/**
 * The token whose interval of the cumulative distribution holds u in (0, 1): first the chunk of `chunkSize` ids by
 * the running sum over chunks, then the id within it. Weights need not sum to 1. Never a token of weight 0.
 */
export function sampleInverseCdf(weights: Float64Array, u: number, chunkSize: number): number {
  const chunkSums: number[] = [];
  for (let start = 0; start < weights.length; start += chunkSize) {
    chunkSums.push(sumOf(weights.subarray(start, start + chunkSize)));
  }
  const target = u * sumOf(chunkSums);
  let chunk = 0;
  let below = 0;
  while (chunk < chunkSums.length - 1 && below + chunkSums[chunk] <= target) below += chunkSums[chunk++];
  let token = -1;
  for (let i = chunk * chunkSize; i < Math.min(weights.length, (chunk + 1) * chunkSize); i++) {
    if (weights[i] === 0) continue;
    token = i;
    below += weights[i];
    if (below > target) return token;
  }
  if (token >= 0) return token;
  // Rounding ran past the last weight: the last token that has any.
  return weights.findLastIndex((weight) => weight > 0);
}

function smallestOfNucleus(p: Float64Array, topP: number): number {
  let sum = 0;
  for (const value of descending(p)) {
    sum += value;
    if (sum >= topP) return value;
  }
  return 0;
}

function largestOf(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function normalised(weights: Float64Array): Float64Array {
  const sum = sumOf(weights);
  return weights.map((value) => value / sum);
}

function descending(values: Float64Array): Float64Array {
  return values.slice().sort().reverse();
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
