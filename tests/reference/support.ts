/**
 * What the reference operations and the tests that use them share: deterministic arrays, error measures and
 * derivatives by central differences.
 */

/** A small deterministic generator (mulberry32) for test data: uniform numbers in [0, 1). */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `length` normal numbers with standard deviation `scale`, the same for the same seed. */
export function randomArray(seed: number, length: number, scale = 1): Float64Array {
  const uniform = randomStream(seed);
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    out[i] = scale * radius * Math.cos(2 * Math.PI * uniform());
  }
  return out;
}

/** `length` integers in [0, limit), the same for the same seed. */
export function randomIntegers(seed: number, length: number, limit: number): Uint32Array {
  const uniform = randomStream(seed);
  return Uint32Array.from({ length }, () => Math.floor(uniform() * limit));
}

/**
 * sum((actual - expected)^2) / sum(expected^2). Zero expected everywhere gives 0 for a zero actual and Infinity
 * otherwise; a NaN anywhere gives NaN, which fails every `<=`.
 */
export function normalisedMse(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new Error(`Cannot compare arrays: lengths ${actual.length} and ${expected.length} differ`);
  }
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return error === 0 ? 0 : error / size;
}

/** max |actual - expected|; NaN if either holds one. */
export function maxAbsoluteError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new Error(`Cannot compare arrays: lengths ${actual.length} and ${expected.length} differ`);
  }
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(error)) return NaN;
    if (error > largest) largest = error;
  }
  return largest;
}

/** The inner product of two arrays of one length: a scalar loss whose upstream gradient is `b`. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new Error(`Cannot multiply arrays: lengths ${a.length} and ${b.length} differ`);
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** a += b. */
export function addInto(a: Float64Array, b: ArrayLike<number>): Float64Array {
  for (let i = 0; i < a.length; i++) a[i] += b[i];
  return a;
}

/**
 * The gradient of `loss` at `x` by central differences with step `h`, truncation error of order h^2. `x` is changed
 * in place while it runs and restored. With `indices`, only those entries are taken (in that order).
 */
export function finiteDifference(
  loss: () => number,
  x: Float64Array,
  h = 1e-5,
  indices: ArrayLike<number> = Array.from(x.keys()),
): Float64Array {
  const gradient = new Float64Array(indices.length);
  for (let n = 0; n < indices.length; n++) {
    const i = indices[n];
    const saved = x[i];
    x[i] = saved + h;
    const above = loss();
    x[i] = saved - h;
    const below = loss();
    x[i] = saved;
    gradient[n] = (above - below) / (2 * h);
  }
  return gradient;
}
