/** A number with its standard error. */
export interface Estimated {
  value: number;
  error: number;
}

/** Inner products g_i . g_j of batches' gradients, which are independent of each other. */
export type Gram = readonly (readonly number[])[];

/** The inner products of some vectors of one length, in f64. */
export function gramOf(vectors: readonly Float32Array[]): number[][] {
  const gram = vectors.map(() => new Array<number>(vectors.length));
  vectors.forEach((a, i) => {
    for (let j = 0; j <= i; j++) {
      const b = vectors[j];
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
      gram[i][j] = gram[j][i] = sum;
    }
  });
  return gram;
}

/**
 * The signal's share of a batch's gradient, |E g|^2 / E |g|^2: the squared cosine of a batch's gradient with the mean of infinitely many, each
 * batch weighing by its squared length. Without bias in numerator and denominator: the first is the mean of g_i . g_j over pairs of
 * different batches, so that no batch is compared with a mean that it is part of. Can come out below 0 where there is next to no signal.
 */
export function signalShare(gram: Gram, without?: number): number {
  let [own, pairs, count] = [0, 0, 0];
  gram.forEach((row, i) => {
    if (i === without) return;
    count++;
    row.forEach((value, j) => {
      if (j === without) return;
      if (i === j) own += value;
      else pairs += value;
    });
  });
  return own === 0 ? 0 : pairs / (count - 1) / own;
}

/**
 * The inner products of the same gradients, each scaled to length 1, as clipping leaves those that are longer than its bound: their share is the
 * mean cosine between two batches. A gradient of length 0 stays as it is.
 */
export function scaledToOne(gram: Gram): number[][] {
  const lengths = gram.map((row, i) => Math.sqrt(row[i]));
  return gram.map((row, i) => row.map((value, j) => value === 0 ? 0 : value / (lengths[i] * lengths[j])));
}

/** The share, its error by leaving out each batch in turn (jackknife). */
export const estimateShare = (gram: Gram): Estimated =>
  jackknife(gram.length, (without) => signalShare(gram, without));

/** Of two ways that were given the same questions batch by batch, how much larger the first one's share is: a batch is left out of both at once. */
export function compareShares(a: Gram, b: Gram): Estimated {
  if (a.length !== b.length) throw new Error(`Cannot compare ${a.length} batches with ${b.length}`);
  return jackknife(a.length, (without) => signalShare(a, without) - signalShare(b, without));
}

function jackknife(count: number, of: (without?: number) => number): Estimated {
  if (count < 3) throw new Error(`Cannot tell an error from ${count} batches: at least 3 are needed`);
  const left = Array.from({ length: count }, (_, i) => of(i));
  const mean = left.reduce((sum, value) => sum + value, 0) / count;
  const squares = left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { value: of(), error: Math.sqrt((count - 1) / count * squares) };
}
