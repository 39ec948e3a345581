/**
 * The laws of the rows that ways of thinking make, as points and weights: what an expected reward is summed over. They
 * share no step and no score with the ways they judge.
 */
import { gaussHermiteBox, gaussHermiteGrid, type QuadratureGrid } from "../gauss_hermite.ts";
import { matmulNN } from "../matmul.ts";
import type { CovarianceOptions } from "./covariance.ts";
import type { DirichletOptions } from "./dirichlet.ts";
import { gaussJacobi } from "./gauss_jacobi.ts";
import type { HiddenNoiseOptions } from "./hidden_noise.ts";
import type { LogitNoiseOptions } from "./logit_noise.ts";
import type { MultiplexOptions } from "./multiplex.ts";
import { nearestRows, type NeighboursOptions } from "./neighbours.ts";
import { sigmaOf } from "./noise_scale.ts";
import { largestOf, pick, probabilitiesOf, type StepInput, topTokens } from "./way.ts";

/** Rows [n, d] of a step and how probable each is; the weights [n] sum to 1. */
export type Law = (input: StepInput) => { weights: Float64Array | number[]; rows: Float64Array };

/** All sequences of tokens, V^K rows. With width 1: hard thinking. */
export function multiplexLaw({ tau, width, weighting = "uniform" }: MultiplexOptions): Law {
  return (input) => {
    const p = probabilitiesOf(input.logits, tau);
    const counts = combinations(p.length, width);
    const mixtures = counts.flatMap(({ count }) => {
      const sum = count.reduce((total, n, token) => total + n * p[token], 0);
      return count.map((n, token) => weighting === "uniform" ? n / width : n * p[token] / sum);
    });
    const weights = counts.map(({ count, orders }) =>
      count.reduce((product, n, token) => product * p[token] ** n, orders)
    );
    return { weights, rows: mix(Float64Array.from(mixtures), allTokens(input), input) };
  };
}

/** Each token, and the one mixed row; `table`: the rows that are compared, those of the step if left out. */
export function neighboursLaw(
  { tau, rho = 0.1, neighbours = 2, weighting }: NeighboursOptions,
  table?: Float64Array,
): Law {
  return (input) => {
    const p = probabilitiesOf(input.logits, tau);
    const top = largestOf(input.logits);
    const near = [top, ...nearestRows({ ...input, table: table ?? input.table }, top, neighbours)];
    const sum = near.reduce((total, token) => total + p[token], 0);
    const mixed = allTokens(input).map((token) => {
      if (!near.includes(token)) return 0;
      return weighting === "uniform" ? 1 / near.length : p[token] / sum;
    });
    const single = allTokens(input).flatMap((token) =>
      allTokens(input).map((other) => other === token ? 1 : 0)
    );
    return {
      weights: [...p.map((x) => (1 - rho) * x), rho],
      rows: mix(Float64Array.from([...single, ...mixed]), allTokens(input), input),
    };
  };
}

/** Soft thinking over two dimensions of noise. */
export function gaussianLaw(tau: number, sigma: number, nodes: number): Law {
  const { points, weights } = gaussHermiteGrid(nodes, 2);
  return (input) => {
    const mean = mix(probabilitiesOf(input.logits, tau), allTokens(input), input);
    return { weights, rows: points.map((x, i) => mean[i % 2] + sigma * x) };
  };
}

/** Rows of two dimensions from their own normal law: mean p E, covariance eta^2 E^T (diag p - p p^T) E. */
export function covarianceLaw({ tau, eta }: CovarianceOptions, nodes: number): Law {
  const { points, weights } = gaussHermiteGrid(nodes, 2);
  return ({ logits, table }) => {
    const p = probabilitiesOf(logits, tau);
    const [a, b] = matmulNN(p, table, 1, p.length, 2);
    let [aa, ab, bb] = [0, 0, 0];
    for (let v = 0; v < p.length; v++) {
      const [x, y] = [table[2 * v] - a, table[2 * v + 1] - b];
      aa += p[v] * x * x;
      ab += p[v] * x * y;
      bb += p[v] * y * y;
    }
    // Cholesky's factor of the 2 x 2 covariance.
    const l11 = Math.sqrt(aa);
    const l21 = ab / l11;
    const l22 = Math.sqrt(bb - l21 * l21);
    const rows = points.map((x, i) =>
      i % 2 === 0 ? a + eta * l11 * x : b + eta * (l21 * points[i - 1] + l22 * x)
    );
    return { weights, rows };
  };
}

/**
 * Noise on all logits or the largest, over the differences of the noisy ones, or over all of these if others are kept.
 * @param nodes of each difference: of the two largest, of the third from these, and so on; or of any
 */
export function logitNoiseLaw(
  options: LogitNoiseOptions,
  vocabSize: number,
  nodes: number | readonly number[],
): Law {
  const { tau, width = vocabSize, others } = options;
  const kept = others === "kept" && width < vocabSize;
  const gridOf = (d: number) =>
    typeof nodes === "number" ? gaussHermiteGrid(nodes, d) : gaussHermiteBox(nodes);
  const grid = kept ? gridOf(width) : withoutCommon(gridOf(width - 1), width);
  return (input) => {
    const tokens = topTokens(input.logits, width);
    const values = pick(input.logits, tokens);
    const sigma = sigmaOf(values, options);
    const all = kept ? topTokens(input.logits, vocabSize) : tokens;
    const noisy = new Float64Array(grid.weights.length * all.length);
    for (let i = 0; i < noisy.length; i++) {
      const [n, j] = [Math.floor(i / all.length), i % all.length];
      noisy[i] = input.logits[all[j]] + (j < width ? sigma * grid.points[n * width + j] : 0);
    }
    return { weights: grid.weights, rows: softRows(noisy, tau, all, input) };
  };
}

/**
 * Noise on a hidden state of `width` numbers.
 * @param nodes along each of them, or along `axis` [width] and what is at right angles to it: where the rows change most
 */
export function hiddenNoiseLaw(
  options: HiddenNoiseOptions,
  width: number,
  nodes: number | readonly number[],
  axis?: Float64Array,
): Law {
  const grid = typeof nodes === "number" ? gaussHermiteGrid(nodes, width) : gaussHermiteBox(nodes);
  const { weights } = grid;
  const points = axis ? turned(grid.points, axis) : grid.points;
  return (input) => {
    const { hidden, head, logits } = input;
    const sigma = sigmaOf(hidden, options);
    const noisy = new Float64Array(weights.length * logits.length);
    for (let i = 0; i < noisy.length; i++) {
      const [n, v] = [Math.floor(i / logits.length), i % logits.length];
      for (let j = 0; j < width; j++) {
        noisy[i] += head[v * width + j] * (hidden[j] + sigma * points[n * width + j]);
      }
    }
    return { weights, rows: softRows(noisy, options.tau, allTokens(input), input) };
  };
}

/** Dirichlet weights of three tokens by breaking a stick twice: two independent betas, integrated after Gauss and Jacobi. */
export function dirichletLaw({ tau, alpha }: DirichletOptions, nodes: number): Law {
  return (input) => {
    const tokens = topTokens(input.logits, 3);
    const [a, b, c] = probabilitiesOf(pick(input.logits, tokens), tau).map((x) => alpha * x);
    const first = gaussJacobi(nodes, a, b + c);
    const second = gaussJacobi(nodes, b, c);
    const mixtures = first.nodes.flatMap((x) =>
      second.nodes.flatMap((y) => [x, (1 - x) * y, (1 - x) * (1 - y)])
    );
    const weights = first.weights.flatMap((w) => second.weights.map((v) => w * v));
    return { weights, rows: mix(Float64Array.from(mixtures), tokens, input) };
  };
}

/** Rows [n, d] of mixtures [n, k] of tokens [k]. */
export function mix(weights: Float64Array, tokens: number[], { table, logits }: StepInput): Float64Array {
  const d = table.length / logits.length;
  return matmulNN(weights, pickRows(table, tokens, d), weights.length / tokens.length, tokens.length, d);
}

/** Rows [n, d] of the mixtures softmax(noisy / tau), noisy [n, k] of tokens [k]. */
export function softRows(noisy: Float64Array, tau: number, tokens: number[], input: StepInput): Float64Array {
  const k = tokens.length;
  const weights = new Float64Array(noisy.length);
  for (let start = 0; start < noisy.length; start += k) {
    let largest = -Infinity;
    for (let i = start; i < start + k; i++) largest = Math.max(largest, noisy[i]);
    let sum = 0;
    for (let i = start; i < start + k; i++) sum += weights[i] = Math.exp((noisy[i] - largest) / tau);
    for (let i = start; i < start + k; i++) weights[i] /= sum;
  }
  return mix(weights, tokens, input);
}

/** Points [n, d] mirrored so that their first direction becomes that of `axis` [d]. */
function turned(points: Float64Array, axis: Float64Array): Float64Array {
  const d = axis.length;
  const length = Math.hypot(...axis);
  const normal = axis.map((x, i) => (i === 0 ? 1 : 0) - x / length);
  const square = normal.reduce((sum, x) => sum + x * x, 0);
  return points.map((x, i) => {
    const row = points.subarray(i - i % d, i - i % d + d);
    const along = normal.reduce((sum, u, j) => sum + u * row[j], 0);
    return x - 2 * along / square * normal[i % d];
  });
}

/** A grid of n - 1 independent normals as one of n that sum to 0, by Helmert's rotation. */
function withoutCommon({ points, weights }: QuadratureGrid, n: number): QuadratureGrid {
  const out = new Float64Array(weights.length * n);
  for (let i = 0; i < points.length; i++) {
    const [row, j] = [Math.floor(i / (n - 1)), i % (n - 1)];
    const scale = points[i] / Math.sqrt((j + 1) * (j + 2));
    for (let l = 0; l <= j; l++) out[row * n + l] += scale;
    out[row * n + j + 1] -= (j + 1) * scale;
  }
  return { points: out, weights };
}

/** How often each of `ids` comes up among `width` draws, and in how many orders that happens. */
function combinations(ids: number, width: number): { count: number[]; orders: number }[] {
  if (ids === 1) return [{ count: [width], orders: 1 }];
  return Array.from(
    { length: width + 1 },
    (_, n) =>
      combinations(ids - 1, width - n).map(({ count, orders }) => ({
        count: [n, ...count],
        orders: orders * choose(width, n),
      })),
  ).flat();
}

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product *= (n - k + i) / i;
  return product;
}

function pickRows(table: Float64Array, tokens: number[], d: number): Float64Array {
  const out = new Float64Array(tokens.length * d);
  tokens.forEach((token, i) => out.set(table.subarray(token * d, (token + 1) * d), i * d));
  return out;
}

const allTokens = ({ logits }: StepInput) => Array.from(logits.keys());
