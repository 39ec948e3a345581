import { softmax } from "./softmax.ts";

/** Options of the categorical log-probability: temperature and the ids that exist. */
export interface CrossEntropyOptions {
  tau?: number;
  usedVocabSize?: number;
}

/**
 * loss = sum over rows of weight[r] * -log p_r(tau)[target[r]], logits [rows, vocabSize], and logProbabilities
 * [rows], log p_r(tau)[target[r]]. With weight = A / (B G) this is the loss of sampled tokens (method section 3).
 */
export function crossEntropy(
  logits: Float64Array,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
  vocabSize: number,
  options: CrossEntropyOptions = {},
): { loss: number; logProbabilities: Float64Array } {
  const { tau = 1, usedVocabSize = vocabSize } = options;
  const rows = targets.length;
  const { logSumExp } = softmax(logits, rows, vocabSize, tau, usedVocabSize);
  const logProbabilities = new Float64Array(rows);
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    logProbabilities[r] = logits[r * vocabSize + targets[r]] / tau - logSumExp[r];
    loss -= weights[r] * logProbabilities[r];
  }
  return { loss, logProbabilities };
}

/** The gradient of `crossEntropy`'s loss: dz [rows, vocabSize] = weight (p - onehot(target)) / tau. */
export function crossEntropyBackward(
  logits: Float64Array,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
  vocabSize: number,
  options: CrossEntropyOptions = {},
): Float64Array {
  const { tau = 1, usedVocabSize = vocabSize } = options;
  const rows = targets.length;
  const dLogits = softmax(logits, rows, vocabSize, tau, usedVocabSize).probabilities;
  for (let r = 0; r < rows; r++) {
    dLogits[r * vocabSize + targets[r]] -= 1;
    for (let i = r * vocabSize; i < (r + 1) * vocabSize; i++) dLogits[i] *= weights[r] / tau;
  }
  return dLogits;
}
