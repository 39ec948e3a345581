/**
 * Nodes and weights in (0, 1) that integrate against the density of Beta(a, b), exact for polynomials up to degree 2n - 1; the
 * weights sum to 1. Nodes are the roots of the n-th orthogonal polynomial, found by bisection between those of the one
 * before; the weight of a root is 1 over the sum of the squares there of the n normalised polynomials below.
 */
export function gaussJacobi(n: number, a: number, b: number): { nodes: number[]; weights: number[] } {
  const { centres, spreads } = recurrence(n, a, b);
  /** The normalised polynomials 0 .. degree at x. */
  const polynomials = (degree: number, x: number) => {
    const values = [1];
    for (let k = 0; k < degree; k++) {
      const before = k > 0 ? spreads[k - 1] * values[k - 1] : 0;
      values.push(((x - centres[k]) * values[k] - before) / spreads[k]);
    }
    return values;
  };
  let nodes: number[] = [];
  for (let degree = 1; degree <= n; degree++) {
    const borders = [0, ...nodes, 1];
    nodes = Array.from({ length: degree }, (_, i) => {
      let [low, high] = [borders[i], borders[i + 1]];
      const below = polynomials(degree, low)[degree] > 0;
      for (let halving = 0; halving < 52; halving++) {
        const middle = (low + high) / 2;
        if ((polynomials(degree, middle)[degree] > 0) === below) low = middle;
        else high = middle;
      }
      return (low + high) / 2;
    });
  }
  const weights = nodes.map((x) => 1 / polynomials(n - 1, x).reduce((sum, value) => sum + value * value, 0));
  return { nodes, weights };
}

/** Of the three-term recurrence x P_k = spread_k P_(k+1) + centre_k P_k + spread_(k-1) P_(k-1) on (0, 1). */
function recurrence(n: number, a: number, b: number) {
  // Jacobi's weight on (-1, 1) is (1 - t)^alpha (1 + t)^beta with x = (1 + t) / 2.
  const [alpha, beta] = [b - 1, a - 1];
  const centres: number[] = [];
  const spreads: number[] = [];
  for (let k = 0; k < n; k++) {
    const s = 2 * k + alpha + beta;
    const centre = k === 0
      ? (beta - alpha) / (alpha + beta + 2)
      : (beta * beta - alpha * alpha) / (s * (s + 2));
    const j = k + 1;
    const t = 2 * j + alpha + beta;
    // For j = 1 a factor j + alpha + beta of both sides is cancelled: it may be 0.
    const square = j === 1
      ? 4 * (1 + alpha) * (1 + beta) / (t * t * (t + 1))
      : 4 * j * (j + alpha) * (j + beta) * (j + alpha + beta) / (t * t * (t + 1) * (t - 1));
    centres.push((1 + centre) / 2);
    spreads.push(Math.sqrt(square) / 2);
  }
  return { centres, spreads };
}
