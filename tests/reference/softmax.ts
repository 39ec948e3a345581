/** What a softmax at one temperature says about each row of logits. */
export interface SoftmaxResult {
  /** [rows, vocabSize]; 0 at ids >= usedVocabSize. */
  probabilities: Float64Array;
  /** [rows], log of the sum of exp(z / tau) over used ids. */
  logSumExp: Float64Array;
  /** [rows], -sum p log p in nats, of p(tau). */
  entropy: Float64Array;
  /** [rows], largest logit less the second largest, in units of logits (not divided by tau). */
  gap: Float64Array;
  /** [rows], the lowest id that holds the largest logit. */
  argmax: Uint32Array;
}

/** p(tau) = softmax(z / tau) of logits [rows, vocabSize], over the first usedVocabSize ids. */
export function softmax(
  logits: Float64Array,
  rows: number,
  vocabSize: number,
  tau = 1,
  usedVocabSize = vocabSize,
): SoftmaxResult {
  const result: SoftmaxResult = {
    probabilities: new Float64Array(rows * vocabSize),
    logSumExp: new Float64Array(rows),
    entropy: new Float64Array(rows),
    gap: new Float64Array(rows),
    argmax: new Uint32Array(rows),
  };
  for (let r = 0; r < rows; r++) {
    const z = logits.subarray(r * vocabSize, r * vocabSize + usedVocabSize);
    const p = result.probabilities.subarray(r * vocabSize, (r + 1) * vocabSize);
    let largest = -Infinity;
    let second = -Infinity;
    for (let i = 0; i < z.length; i++) {
      if (z[i] > largest) {
        [second, largest, result.argmax[r]] = [largest, z[i], i];
      } else if (z[i] > second) second = z[i];
    }
    let sum = 0;
    for (let i = 0; i < z.length; i++) sum += p[i] = Math.exp((z[i] - largest) / tau);
    let entropy = 0;
    for (let i = 0; i < z.length; i++) {
      p[i] /= sum;
      if (p[i] > 0) entropy -= p[i] * Math.log(p[i]);
    }
    result.logSumExp[r] = largest / tau + Math.log(sum);
    result.entropy[r] = entropy;
    result.gap[r] = largest - second;
  }
  return result;
}

/** The gradient of `softmax`'s probabilities with respect to the logits: dz = p (dp - p . dp) / tau. */
export function softmaxBackward(
  dProbabilities: Float64Array,
  probabilities: Float64Array,
  rows: number,
  vocabSize: number,
  tau = 1,
): Float64Array {
  const dLogits = new Float64Array(rows * vocabSize);
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    for (let i = r * vocabSize; i < (r + 1) * vocabSize; i++) mean += probabilities[i] * dProbabilities[i];
    for (let i = r * vocabSize; i < (r + 1) * vocabSize; i++) {
      dLogits[i] = probabilities[i] * (dProbabilities[i] - mean) / tau;
    }
  }
  return dLogits;
}
