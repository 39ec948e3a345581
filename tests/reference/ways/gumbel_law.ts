import type { GumbelOptions } from "./gumbel.ts";
import { type Law, softRows } from "./laws.ts";
import { logProbabilitiesOf, pick, topTokens } from "./way.ts";

/** Less than this probable, a point is left out. */
const NEGLIGIBLE = 1e-5;

/**
 * The law of Gumbel-softmax rows: a lattice over the G of each token, of which only differences matter, so that points with
 * the same differences become one. Sums over a lattice converge exponentially for integrands as smooth as these: with the
 * spacing at 1.6 gumbelTau and negligible points left out, the toy's gradient is off by 2e-4 of its norm. Clamped
 * Gumbels (the published form) have atoms at both ends, and are integrated by Simpson's rule between.
 */
export function gumbelLaw({ tau, width = 5, gumbelTau = 0.1, form }: GumbelOptions): Law {
  const clamped = form === "published";
  const { weights, G } = differences(clamped ? clampedGumbel(gumbelTau) : wholeGumbel(gumbelTau), width);
  return (input) => {
    const tokens = topTokens(input.logits, width);
    const logP = logProbabilitiesOf(pick(input.logits, tokens), tau);
    if (clamped) logP.forEach((value, i) => logP[i] = Math.log(Math.exp(value) + 1e-6));
    const noisy = new Float64Array(G.length);
    for (let i = 0; i < G.length; i++) noisy[i] = logP[i % width] + G[i];
    return { weights, rows: softRows(noisy, gumbelTau, tokens, input) };
  };
}

interface Lattice {
  spacing: number;
  weights: number[];
}

function wholeGumbel(gumbelTau: number): Lattice {
  const spacing = 1.6 * gumbelTau;
  const points = Array.from({ length: Math.ceil(20 / spacing) }, (_, i) => -3.2 + i * spacing);
  return { spacing, weights: points.map((G) => spacing * Math.exp(-G - Math.exp(-G))) };
}

function clampedGumbel(gumbelTau: number): Lattice {
  const pieces = 2 * Math.ceil(4.5 / (1.2 * gumbelTau));
  const spacing = 4.5 / pieces;
  const weights = Array.from({ length: pieces + 1 }, (_, i) => {
    const G = -1.5 + i * spacing;
    const simpson = i === 0 || i === pieces ? 1 / 3 : i % 2 === 1 ? 4 / 3 : 2 / 3;
    return simpson * spacing * Math.exp(-G - Math.exp(-G));
  });
  weights[0] += Math.exp(-Math.exp(1.5));
  weights[pieces] += 1 - Math.exp(-Math.exp(-3));
  return { spacing, weights };
}

/** Points of `width` independent lattice variables, less the last one: weights [n] and G [n, width]. */
function differences({ spacing, weights }: Lattice, width: number): { weights: number[]; G: Float64Array } {
  const found = new Map<string, { weight: number; steps: number[] }>();
  const visit = (indices: number[], weight: number) => {
    if (weight < NEGLIGIBLE / 1e5) return;
    if (indices.length < width) return weights.forEach((w, i) => visit([...indices, i], weight * w));
    const steps = indices.map((i) => i - indices[width - 1]);
    const point = found.get(steps.join());
    if (point) point.weight += weight;
    else found.set(steps.join(), { weight, steps });
  };
  visit([], 1);
  const points = [...found.values()].filter(({ weight }) => weight > NEGLIGIBLE);
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  return {
    weights: points.map(({ weight }) => weight / total),
    G: Float64Array.from(points.flatMap(({ steps }) => steps.map((i) => i * spacing))),
  };
}
