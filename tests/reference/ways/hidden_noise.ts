import { matmulNT } from "../matmul.ts";
import { softmaxBackward } from "../softmax.ts";
import { noiseLogProbability, type NoiseScale, noiseScore, sigmaOf } from "./noise_scale.ts";
import {
  largestOf,
  mixRows,
  mixRowsBackward,
  type Mixture,
  probabilitiesOf,
  type StepInput,
  type Way,
} from "./way.ts";

/** How noise on the final hidden state is drawn and scored. */
export interface HiddenNoiseOptions extends Omit<NoiseScale, "differences"> {
  tau: number;
}

/** The action: the noisy hidden state. */
export interface HiddenNoiseAction {
  /** y~ [m]. */
  noisy: Float64Array;
  /** eps [m], as drawn. */
  noise: Float64Array;
}

/**
 * Noise on the final hidden state (an ablation of arXiv 2509.19170; method section 8): y~ = y + sigma eps, row = softmax(W y~ / tau) E,
 * shadow = the largest of W y~. ln pi is the Gaussian density of y~, its score (for y, past the head) is in `noise_scale.ts`.
 * m normals. The row is a function of y~, W and E: it sends p~ g^T to E, and dz~ y~^T to W with dz~ = p~ (u - p~ . u) / tau,
 * u = E g. Nothing of it reaches y.
 */
export function hiddenNoiseWay(options: HiddenNoiseOptions): Way<HiddenNoiseAction> {
  const { tau, follows = "constant" } = options;
  const mixtureOf = ({ head, logits }: StepInput, noisy: Float64Array): Mixture => {
    const z = matmulNT(noisy, head, 1, noisy.length, logits.length);
    return { tokens: [...z.keys()], weights: probabilitiesOf(z, tau) };
  };
  return {
    name: `noise on the hidden state, ${
      follows === "constant" ? "constant scale" : `moving scale, ${follows} score`
    }`,
    kind: follows === "published" ? "surrogate" : "score function",
    draws: ({ hidden }) => ({ uniforms: 0, normals: hidden.length }),
    act(input, { normals }) {
      const sigma = sigmaOf(input.hidden, options);
      const noise = input.hidden.map((_, i) => normals[i]);
      const noisy = input.hidden.map((y, i) => y + sigma * noise[i]);
      return { action: { noisy, noise }, shadow: largestOf(mixtureOf(input, noisy).weights) };
    },
    row: (input, { noisy }) => mixRows(mixtureOf(input, noisy), input),
    ...(follows !== "published" && {
      logProbability: ({ hidden }, { noisy }) => noiseLogProbability(hidden, noisy, options),
    }),
    score: ({ hidden }, { noise }) => ({ hidden: noiseScore(hidden, noise, options) }),
    rowBackward(input, { noisy }, dRow) {
      const { table, logits } = input;
      const mixture = mixtureOf(input, noisy);
      const u = matmulNT(dRow, table, 1, dRow.length, logits.length);
      const dz = softmaxBackward(u, mixture.weights, 1, logits.length, tau);
      const head = new Float64Array(logits.length * noisy.length);
      for (let i = 0; i < head.length; i++) {
        head[i] = dz[Math.floor(i / noisy.length)] * noisy[i % noisy.length];
      }
      return { table: mixRowsBackward(mixture, input, dRow), head };
    },
  };
}
