/** A law: the terms that a cost is a sum of, each a function of the size, such as 1 and n. */
export type Law = Readonly<Record<string, (size: number) => number>>;

/** How well a law describes measurements. */
export interface Fit {
  /** What each term is multiplied by, none below 0. */
  coefficients: Record<string, number>;
  predicted: number[];
  /** 1 - (squared relative errors of the law) / (those of the best constant). */
  r2: number;
}

/**
 * Least squares of relative errors, since sizes span orders of magnitude: otherwise the largest alone would decide. A cost
 * has no negative part: of all choices of terms whose coefficients come out at or above 0, the best is taken.
 */
export function fitLaw(sizes: readonly number[], measured: readonly number[], law: Law): Fit {
  const names = Object.keys(law);
  let best: { error: number; chosen: string[]; factors: number[] } | undefined;
  for (let mask = 1; mask < 2 ** names.length; mask++) {
    const chosen = names.filter((_, i) => mask >> i & 1);
    const columns = chosen.map((name) => sizes.map((size, i) => law[name](size) / measured[i]));
    const factors = solve(
      columns.map((a) => columns.map((b) => dot(a, b))),
      columns.map((a) => a.reduce((sum, x) => sum + x, 0)),
    );
    if (!factors || factors.some((factor) => factor < 0)) continue;
    const error = measured.reduce(
      (sum, _, i) => sum + (1 - columns.reduce((at, column, c) => at + factors[c] * column[i], 0)) ** 2,
      0,
    );
    if (!best || error < best.error) best = { error, chosen, factors };
  }
  if (!best) {
    throw new Error(`Cannot fit a law of ${names.join(", ")}: no choice of terms describes the costs`);
  }
  const { error, chosen, factors } = best;
  const inverse = measured.map((value) => 1 / value);
  const constant = inverse.reduce((sum, x) => sum + x, 0) / dot(inverse, inverse);
  const spread = inverse.reduce((sum, x) => sum + (1 - constant * x) ** 2, 0);
  return {
    coefficients: Object.fromEntries(chosen.map((name, i) => [name, factors[i]])),
    predicted: sizes.map((size) => chosen.reduce((sum, name, i) => sum + factors[i] * law[name](size), 0)),
    r2: 1 - error / spread,
  };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Solves a symmetric system by elimination; null where it is singular. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    const pivot = rows[i][i];
    if (Math.abs(pivot) < 1e-14 * Math.abs(matrix[i][i]) || pivot === 0) return null;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = rows[j][i] / pivot;
      for (let k = i; k <= n; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}
