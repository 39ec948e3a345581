/** Settings of one AdamW step; `step` counts from 1. */
export interface AdamWOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  step: number;
}

/**
 * One AdamW step in place (Loshchilov and Hutter, decoupled decay, as in PyTorch): w -= lr * decay * w, then
 * w -= lr * mHat / (sqrt(vHat) + eps) with bias-corrected moments.
 */
export function adamWStep(
  weights: Float64Array,
  gradients: Float64Array,
  firstMoment: Float64Array,
  secondMoment: Float64Array,
  options: AdamWOptions,
): void {
  const { learningRate, beta1, beta2, eps, weightDecay, step } = options;
  for (let i = 0; i < weights.length; i++) {
    firstMoment[i] = beta1 * firstMoment[i] + (1 - beta1) * gradients[i];
    secondMoment[i] = beta2 * secondMoment[i] + (1 - beta2) * gradients[i] ** 2;
    const mHat = firstMoment[i] / (1 - beta1 ** step);
    const vHat = secondMoment[i] / (1 - beta2 ** step);
    weights[i] -= learningRate * weightDecay * weights[i];
    weights[i] -= learningRate * mHat / (Math.sqrt(vHat) + eps);
  }
}

/** The Euclidean norm over all arrays taken as one vector. */
export function globalNorm(gradients: Iterable<Float64Array>): number {
  let sum = 0;
  for (const gradient of gradients) {
    for (const value of gradient) sum += value * value;
  }
  return Math.sqrt(sum);
}

/** Scales all arrays in place by min(1, maxNorm / norm) and returns the norm before. */
export function clipByGlobalNorm(gradients: Iterable<Float64Array>, maxNorm: number): number {
  const all = [...gradients];
  const norm = globalNorm(all);
  if (norm > maxNorm) {
    for (const gradient of all) {
      for (let i = 0; i < gradient.length; i++) gradient[i] *= maxNorm / norm;
    }
  }
  return norm;
}
