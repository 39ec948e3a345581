/**
 * y = weight * x / sqrt(mean(x^2) + eps), row by row. x [rows, d], weight [d]. `inverseRms` [rows] is
 * 1 / sqrt(mean(x^2) + eps). For the norm on heads (Qwen 3), rows are rows * heads and d is the head's width.
 */
export function rmsNorm(
  x: Float64Array,
  weight: Float64Array,
  rows: number,
  d: number,
  eps: number,
): { y: Float64Array; inverseRms: Float64Array } {
  const y = new Float64Array(rows * d);
  const inverseRms = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += x[r * d + i] ** 2;
    inverseRms[r] = 1 / Math.sqrt(sum / d + eps);
    for (let i = 0; i < d; i++) y[r * d + i] = weight[i] * x[r * d + i] * inverseRms[r];
  }
  return { y, inverseRms };
}

/**
 * Gradients of `rmsNorm` for the upstream gradient dy [rows, d].
 * With n = x / rms: dx = (weight dy - n mean(weight dy n)) / rms, dWeight = sum over rows of dy n.
 */
export function rmsNormBackward(
  dy: Float64Array,
  x: Float64Array,
  weight: Float64Array,
  rows: number,
  d: number,
  eps: number,
): { dx: Float64Array; dWeight: Float64Array } {
  const { inverseRms } = rmsNorm(x, weight, rows, d, eps);
  const dx = new Float64Array(rows * d);
  const dWeight = new Float64Array(d);
  for (let r = 0; r < rows; r++) {
    const scale = inverseRms[r];
    let mean = 0;
    for (let i = 0; i < d; i++) mean += weight[i] * dy[r * d + i] * x[r * d + i] * scale / d;
    for (let i = 0; i < d; i++) {
      const normed = x[r * d + i] * scale;
      dx[r * d + i] = scale * (weight[i] * dy[r * d + i] - normed * mean);
      dWeight[i] += dy[r * d + i] * normed;
    }
  }
  return { dx, dWeight };
}
