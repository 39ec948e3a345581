import { sampleInverseCdf } from "../sampling.ts";
import {
  logProbabilitiesOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  pick,
  probabilitiesOf,
  scatter,
  sumOf,
  throughLogSoftmax,
  type Way,
} from "./way.ts";

/** How a multiplex step samples and weighs its tokens. */
export interface MultiplexOptions {
  tau: number;
  /** K, tokens a step. */
  width: number;
  /** "probability": token j weighs p[k_j] / sum_l p[k_l], as the paper does by default. Default "uniform", 1 / K. */
  weighting?: "uniform" | "probability";
}

/**
 * Multiplex thinking (arXiv 2601.08808; method section 8): k_1 .. k_K independent from p(tau), repeats allowed; the row is
 * the mean of their embeddings; the shadow is k_1. ln pi = sum_j ln p[k_j], dz = (counts - K p) / tau.
 * K uniforms, one a token. With weights by probability the row moves with p and not with the tokens alone: a surrogate.
 */
export function multiplexWay({ tau, width, weighting = "uniform" }: MultiplexOptions): Way<Mixture> {
  const mixtureOf = (logits: Float64Array, tokens: number[]): Mixture => {
    if (weighting === "uniform") return { tokens, weights: new Float64Array(width).fill(1 / width) };
    const p = pick(probabilitiesOf(logits, tau), tokens);
    const sum = sumOf(p);
    return { tokens, weights: p.map((value) => value / sum) };
  };
  return {
    name: `multiplex ${width}${weighting === "uniform" ? "" : ", weights by probability"}`,
    kind: weighting === "uniform" ? "score function" : "surrogate",
    draws: () => ({ uniforms: width, normals: 0 }),
    act({ logits }, { uniforms }) {
      const p = probabilitiesOf(logits, tau);
      const tokens = Array.from({ length: width }, (_, j) => sampleInverseCdf(p, uniforms[j], p.length));
      return { action: mixtureOf(logits, tokens), shadow: tokens[0] };
    },
    row: (input, { tokens }) => mixRows(mixtureOf(input.logits, tokens), input),
    logProbability({ logits }, { tokens }) {
      return sumOf(pick(logProbabilitiesOf(logits, tau), tokens));
    },
    score({ logits }, { tokens }) {
      const counts = scatter(new Float64Array(width).fill(1), tokens, logits.length);
      return { logits: throughLogSoftmax(counts, probabilitiesOf(logits, tau), tau) };
    },
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}
