import { sampleInverseCdf } from "../sampling.ts";
import { hardWay } from "./hard.ts";
import {
  largestOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  pick,
  probabilitiesOf,
  type StepInput,
  topTokens,
  type Way,
} from "./way.ts";

/** How a step among neighbours is taken. */
export interface NeighboursOptions {
  tau: number;
  /** How often a step is mixed. Default 0.1. */
  rho?: number;
  /** Neighbours of the most probable token that are mixed with it. Default 2. */
  neighbours?: number;
  /** "probability", the paper's: weights p over their sum. "uniform": all the same. */
  weighting: "uniform" | "probability";
}

/** The action: a token with weight 1, or the tokens that were mixed. */
export interface NeighboursAction extends Mixture {
  mixed: boolean;
}

/**
 * Neighbour mixing (N-GRPO, arXiv 2606.10768; method section 8): with probability rho the row is a mixture of the most
 * probable token and its nearest rows of E by cosine, and the step carries no action; else a token from p(tau), scored as
 * such. The shadow is the token, or the most probable one. Two uniforms: whether to mix (below rho), and the token.
 * With weights by probability the mixed row moves with p, unseen by the score: a surrogate. With uniform weights it is
 * exact but for jumps, where another token becomes the most probable or another row the nearest.
 */
export function neighboursWay(options: NeighboursOptions): Way<NeighboursAction> {
  const { tau, rho = 0.1, neighbours = 2, weighting } = options;
  const hard = hardWay(tau);
  const weightsOf = ({ logits }: StepInput, tokens: number[]) => {
    if (weighting === "uniform") return new Float64Array(tokens.length).fill(1 / tokens.length);
    // Of these tokens alone, from logits: their sum over the vocabulary may underflow.
    return probabilitiesOf(pick(logits, tokens), tau);
  };
  return {
    name: `neighbours at ${rho}, weights ${weighting === "uniform" ? "uniform" : "by probability"}`,
    kind: weighting === "uniform" ? "score function" : "surrogate",
    draws: () => ({ uniforms: 2, normals: 0 }),
    act(input, { uniforms }) {
      const { logits } = input;
      if (uniforms[0] < rho) {
        const top = largestOf(logits);
        const tokens = [top, ...nearestRows(input, top, neighbours)];
        return { action: { mixed: true, tokens, weights: weightsOf(input, tokens) }, shadow: top };
      }
      const token = sampleInverseCdf(probabilitiesOf(logits, tau), uniforms[1], logits.length);
      return { action: { mixed: false, tokens: [token], weights: Float64Array.of(1) }, shadow: token };
    },
    row: (input, { mixed, tokens }) =>
      mixRows({ tokens, weights: mixed ? weightsOf(input, tokens) : Float64Array.of(1) }, input),
    logProbability: (input, action) => action.mixed ? 0 : hard.logProbability!(input, action),
    score: (input, action) => action.mixed ? {} : hard.score(input, action),
    rowBackward: (input, action, dRow) => ({ table: mixRowsBackward(action, input, dRow) }),
  };
}

/** The `count` ids whose rows of E have the largest cosine with a token's own, itself left out; the lower id of equals. */
export function nearestRows({ table, logits }: StepInput, token: number, count: number): number[] {
  const d = table.length / logits.length;
  const rowOf = (v: number) => table.subarray(v * d, (v + 1) * d);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const cosines = logits.map((_, v) => dot(rowOf(v), rowOf(token)) / Math.sqrt(dot(rowOf(v), rowOf(v))));
  cosines[token] = -Infinity;
  return topTokens(cosines, count);
}
