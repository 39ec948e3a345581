/** Points and weights that integrate a function of d independent standard normals; the weights sum to 1. */
export interface QuadratureGrid {
  /** [count, d]. */
  points: Float64Array;
  /** [count]. */
  weights: Float64Array;
}

/**
 * Gauss-Hermite nodes and weights for one standard normal: exact for polynomials up to degree 2n - 1. The nodes are
 * the roots of the n-th Hermite polynomial He_n, found by bisection; the weight of a root x is n! / (n He_(n-1)(x))^2.
 */
export function gaussHermite(n: number): { nodes: number[]; weights: number[] } {
  const hermite = (x: number) => {
    let [previous, current] = [1, x];
    for (let k = 1; k < n; k++) [previous, current] = [current, x * current - k * previous];
    return { value: current, previous };
  };
  const nodes: number[] = [];
  const limit = 2 * Math.sqrt(n) + 1;
  const pieces = 1000 * n;
  for (let i = 0; i < pieces; i++) {
    // The small shift keeps the root at 0 from lying on a border.
    let low = -limit + (2 * limit + 1e-3) * i / pieces;
    let high = -limit + (2 * limit + 1e-3) * (i + 1) / pieces;
    if (hermite(low).value * hermite(high).value > 0) continue;
    const rising = hermite(high).value > 0;
    for (let step = 0; step < 80; step++) {
      const middle = (low + high) / 2;
      if ((hermite(middle).value > 0) === rising) high = middle;
      else low = middle;
    }
    nodes.push((low + high) / 2);
  }
  if (nodes.length !== n) throw new Error(`Cannot make ${n} Gauss-Hermite nodes: found ${nodes.length}`);
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  const weights = n === 1 ? [1] : nodes.map((x) => factorial / (n * hermite(x).previous) ** 2);
  return { nodes, weights };
}

/** The product rule over d dimensions, with n nodes in each: n^d points. */
export const gaussHermiteGrid = (n: number, d: number): QuadratureGrid =>
  gaussHermiteBox(new Array<number>(d).fill(n));

/** The product rule with so many nodes in each dimension: as many points as their product. */
export function gaussHermiteBox(nodes: readonly number[]): QuadratureGrid {
  const rules = nodes.map(gaussHermite);
  const d = nodes.length;
  const count = nodes.reduce((product, n) => product * n, 1);
  const grid = { points: new Float64Array(count * d), weights: new Float64Array(count).fill(1) };
  for (let i = 0; i < count; i++) {
    let rest = i;
    rules.forEach((rule, j) => {
      const digit = rest % nodes[j];
      rest = Math.floor(rest / nodes[j]);
      grid.points[i * d + j] = rule.nodes[digit];
      grid.weights[i] *= rule.weights[digit];
    });
  }
  return grid;
}
