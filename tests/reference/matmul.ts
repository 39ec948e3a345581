/** The three layouts of a matrix product. All arrays are row-major. */

/** C [m, n] = A [m, k] times the transpose of B [n, k]: the forward pass y = x W^T. */
export function matmulNT(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
      c[i * n + j] = sum;
    }
  }
  return c;
}

/** C [m, n] = A [m, k] times B [k, n]: the input's gradient dx = dy W, and the mixture p E. */
export function matmulNN(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[l * n + j];
    }
  }
  return c;
}

/** C [m, n] = the transpose of A [k, m] times B [k, n]: the weight's gradient dW = dy^T x. */
export function matmulTN(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let l = 0; l < k; l++) {
    for (let i = 0; i < m; i++) {
      const factor = a[l * m + i];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[l * n + j];
    }
  }
  return c;
}

/** y [rows, n] = x [rows, k] W^T + bias, W [n, k], bias [n] or absent. */
export function linear(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  rows: number,
  k: number,
  n: number,
): Float64Array {
  const y = matmulNT(x, weight, rows, k, n);
  if (bias) { for (let i = 0; i < y.length; i++) y[i] += bias[i % n]; }
  return y;
}

/** Gradients of `linear` for the upstream gradient dy [rows, n]. */
export function linearBackward(
  dy: Float64Array,
  x: Float64Array,
  weight: Float64Array,
  rows: number,
  k: number,
  n: number,
): { dx: Float64Array; dWeight: Float64Array; dBias: Float64Array } {
  const dBias = new Float64Array(n);
  for (let i = 0; i < dy.length; i++) dBias[i % n] += dy[i];
  return { dx: matmulNN(dy, weight, rows, n, k), dWeight: matmulTN(dy, x, n, rows, k), dBias };
}
