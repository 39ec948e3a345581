import type { Scratch } from "../../gpu/arena.ts";
import { choose, type StepRecord } from "../../gpu/ops/choose/choose.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { mixtureBackward } from "../../gpu/ops/mixture/mixture_backward.ts";
import { addNoise, type DrawAddress, noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import {
  addRelativeNoise,
  type RelativeNoise,
  relativeNoiseScore,
} from "../../gpu/ops/mixture/relative_noise.ts";
import { Domain } from "../../gpu/random.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { logits } from "../transformer/head.ts";
import type { Model } from "../transformer/transformer.ts";
import { fewTokensThinking } from "./few_tokens.ts";
import { keyOf, noiseSize, type ScoreInput, type StepInput, type Thinking } from "./thinking.ts";

/** What the noise of soft and fuzzy thinking may lie on: the row itself, or what its mixture is made from. */
export const NOISE_PLACES = ["embedding", "logits", "top-logits", "hidden"] as const;

/** One of {@link NOISE_PLACES}. */
export type NoisePlace = typeof NOISE_PLACES[number];

/** Options of {@link noiseOnThinking}. */
export interface NoiseOnOptions {
  name: "soft" | "fuzzy";
  tau: number;
  on: Exclude<NoisePlace, "embedding">;
  /** Standard deviation of the noise, as a multiple of the root mean square of what it lies on, above 0 but for the greedy form of top-logits. */
  scale: number;
  /** k, of top-logits. */
  width: number;
  /** The score of the noise's size too: exact, and noisier; else that is taken for a constant, a surrogate. */
  wholeScore: boolean;
  /** RMS(E), the unit of a deviation. */
  unit: number;
}

/**
 * Noise on what the mixture is made from (ablations of arXiv 2509.19170; method section 8): z~ = z + s RMS(z) eps on all logits, or on the
 * k largest alone, the others left out; or y~ = y + s RMS(y) eps on the final-normed row, z~ = W y~. row = softmax(z~ / tau) E, shadow = its heaviest
 * token. The action is z~ or y~, drawn again from its counter in the backward pass. The row is a function of it and of E (and W), so
 * later steps send gradient into these: on all logits and on the hidden row w over the whole vocabulary is made once more for that.
 *
 * Statistics of a step (ln p of its token, entropy, gap) are those of the logits without noise.
 */
export function noiseOnThinking(options: NoiseOnOptions): Thinking {
  const { name, tau, on, scale, width, wholeScore, unit } = options;
  if (on === "top-logits") {
    const score = wholeScore ? "whole" : "mean";
    const how = { kind: "noisy_logits", tau, random: scale > 0, scale, score } as const;
    return fewTokensThinking({ name, width, how }, unit);
  }
  return {
    ...{ name, tau, continuous: true, leaves: "weights", sigma: unit },
    ...on === "logits" ? onLogits(options) : onHidden(options),
  };
}

/** Where a step is taken, in rollout (with its shift) and training. */
type Place = Pick<ScoreInput, "info" | "record" | "seed" | "step"> & { shift?: number };

/** What keys the draws of a step. */
const drawsAt = ({ info, shift = 0, ...place }: Place): DrawAddress => ({
  ...{ info, shift, key: keyOf(place, Domain.noise) },
});

/** How the noise on n columns of some rows is drawn. */
const noiseOf = ({ scale }: NoiseOnOptions, n: number, place: Place): RelativeNoise => ({
  ...{ n, scale, at: drawsAt(place) },
});

/** Noisy logits become weights; their heaviest token becomes the step's, and nothing else is recorded. */
function weigh(
  { gpu, config }: Model,
  z: Tensor,
  tau: number,
  place: Place,
  chosen?: Tensor,
): void {
  const { record } = place;
  const { info, shift, key } = drawsAt(place);
  using scratch = gpu.arena.scratch();
  const tokens = chosen ?? scratch.u32([z.shape[0]], "shadows");
  const aside: StepRecord = { ...record, stats: scratch.f32(record.stats.shape, "noisy statistics") };
  choose(gpu, "mixture", z, config.usedVocabSize, tau, info, shift, aside, tokens, key);
}

/** Records the statistics of a step's logits, which stay as they are. */
function recordStep(input: StepInput, tau: number): void {
  const { model: { gpu, config }, z, record, chosen } = input;
  const { info, shift, key } = drawsAt(input);
  choose(gpu, "greedy", z, config.usedVocabSize, tau, info, shift, record, chosen, key);
}

/** The row that weights over the vocabulary make, for the next step and for training. */
function feed(input: StepInput): void {
  const { model: { gpu, params }, z, record, next, fed } = input;
  using scratch = gpu.arena.scratch();
  const row = scratch.f32(next.shape, "mixture");
  matmulNN(gpu, z, params.embedding, row, { sparse: true });
  addNoise(gpu, row, 0, drawsAt(input), next, fed, record.column);
}

/** How far the row of these weights is from the one that was fed. */
function measure(input: ScoreInput, weights: Tensor, unit: number): void {
  const { model: { gpu, params }, fed, measured } = input;
  using scratch = gpu.arena.scratch();
  const row = scratch.f32(fed.shape, "mixture");
  matmulNN(gpu, weights, params.embedding, row, { sparse: true });
  noiseMismatch(gpu, row, fed, 0, drawsAt(input), measured, unit);
}

function copyOf({ gpu }: Model, from: Tensor, scratch: Scratch, label: string): Tensor {
  const to = scratch.f32(from.shape, label);
  gpu.commands.copy(from, 0, to, 0, sizeOf(from.shape));
  return to;
}

type Parts = Pick<Thinking, "step" | "noise" | "score" | "rowBackward">;

function onLogits(options: NoiseOnOptions): Parts {
  const { tau, wholeScore: whole, unit } = options;
  return {
    step(input) {
      const { model, z, chosen } = input;
      recordStep(input, tau);
      addRelativeNoise(model.gpu, z, noiseOf(options, model.config.usedVocabSize, input));
      weigh(model, z, tau, input, chosen);
      feed(input);
    },
    noise: (input) => noiseSize(input, input.model.config.usedVocabSize),
    score(input) {
      const { model, z, scratch, weights: factor, stats, clipStep: clip } = input;
      const noise = noiseOf(options, model.config.usedVocabSize, input);
      const weights = copyOf(model, z, scratch, "d logits");
      addRelativeNoise(model.gpu, weights, noise);
      weigh(model, weights, tau, input);
      measure(input, weights, unit);
      relativeNoiseScore(model.gpu, z, noise, { factor, whole, clip, stats });
      return { logits: z };
    },
    rowBackward(input) {
      const { model, dRow, grads } = input;
      using scratch = model.gpu.arena.scratch();
      const z = logits(model, input.hidden(scratch), scratch);
      addRelativeNoise(model.gpu, z, noiseOf(options, model.config.usedVocabSize, input));
      weigh(model, z, tau, input);
      matmulTN(model.gpu, z, dRow, grads.embedding, { accumulate: true });
    },
  };
}

function onHidden(options: NoiseOnOptions): Parts {
  const { tau, wholeScore: whole, unit } = options;
  /** z [rows, V] becomes the logits of y, which gets its noise. */
  const noisyLogits = (model: Model, y: Tensor, z: Tensor, place: Place) => {
    addRelativeNoise(model.gpu, y, noiseOf(options, model.config.hiddenSize, place));
    matmulNT(model.gpu, y, model.params.head, z);
  };
  return {
    step(input) {
      const { model, z, chosen } = input;
      using scratch = model.gpu.arena.scratch();
      recordStep(input, tau);
      noisyLogits(model, copyOf(model, input.y, scratch, "noisy hidden"), z, input);
      weigh(model, z, tau, input, chosen);
      feed(input);
    },
    noise: (input) => noiseSize(input, input.model.config.hiddenSize),
    score(input) {
      const { model, y, z, scratch, weights: factor, stats, clipStep: clip } = input;
      noisyLogits(model, copyOf(model, y, scratch, "noisy hidden"), z, input);
      weigh(model, z, tau, input);
      measure(input, z, unit);
      const hidden = copyOf(model, y, scratch, "d hidden");
      const noise = noiseOf(options, model.config.hiddenSize, input);
      relativeNoiseScore(model.gpu, hidden, noise, { factor, whole, clip, stats });
      return { hidden };
    },
    rowBackward(input) {
      const { model, dRow, grads } = input;
      const { gpu, config, params } = model;
      using scratch = gpu.arena.scratch();
      const [rows] = dRow.shape;
      const y = input.hidden(scratch);
      const z = scratch.f32([rows, config.vocabSize], "logits");
      noisyLogits(model, y, z, input);
      const dz = scratch.f32(z.shape, "d logits");
      matmulNT(gpu, dRow, params.embedding, dz);
      const stats = scratch.f32([rows, 4], "mixture stats");
      mixtureBackward(gpu, z, dz, config.usedVocabSize, tau, 0, stats);
      matmulTN(gpu, z, dRow, grads.embedding, { accumulate: true });
      if (grads.head) matmulTN(gpu, dz, y, grads.head, { accumulate: true });
    },
  };
}
