/** The toy of fixed length on which each way of thinking is judged: its shape, weights, prompt and rewards. */
import type { ModelConfig } from "../../model/transformer/config.ts";
import { rootMeanSquare } from "./soft_mixture.ts";
import { randomArray } from "./support.ts";
import { EMBEDDING, headMatrix, type Weights, weightShapes } from "./transformer.ts";

/** A toy problem: a tiny transformer, how it thinks, and what its answers are worth. */
export interface Toy {
  config: ModelConfig;
  /** Float32-representable values. */
  weights: Weights;
  prompt: number[];
  forced: number[];
  mode: "hard" | "soft" | "fuzzy";
  tau: number;
  /** gamma * RMS(E) of the weights as made: a constant of the gradient. */
  sigma: number;
  /** Thinking steps. */
  steps: 2;
  /** [vocabSize], in [0, 100], by answer token. The exact gradient is that of the expected reward / 100. */
  rewards: number[];
}

const TOY_CONFIG: ModelConfig = {
  architecture: "llama",
  vocabSize: 5,
  hiddenSize: 4,
  layers: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 4,
  intermediateSize: 8,
  normEps: 1e-5,
  ropeTheta: 100,
  tied: false,
  qkvBias: false,
  qkNorm: false,
  maxPosition: 16,
  eosTokenIds: [],
  usedVocabSize: 5,
};

/**
 * Random weights by kind: standard deviations of the embedding, the head, the V and O projections and the other
 * matrices, and the noise. Found by a search over seeds for toys in which a thought moves the answer so much that each
 * term of the gradient stands far above the estimator's noise, while the integrand stays smooth enough to integrate.
 */
interface Recipe {
  seed: number;
  embedding: number;
  head: number;
  values: number;
  matrices: number;
  tau: number;
  gamma: number;
}

const TIED_SOFT: Recipe = {
  seed: 722031,
  embedding: 1,
  head: 0,
  values: 0.6,
  matrices: 0.4,
  tau: 0.5,
  gamma: 0.25,
};

const RECIPES: Record<Toy["mode"], Recipe> = {
  hard: { seed: 148100, embedding: 0.6, head: 1.2, values: 1, matrices: 0.4, tau: 1, gamma: 0 },
  soft: { seed: 148100, embedding: 0.6, head: 1.2, values: 1, matrices: 0.4, tau: 0.5, gamma: 0.25 },
  fuzzy: { seed: 23100, embedding: 0.8, head: 1.2, values: 0.9, matrices: 0.6, tau: 1e-4, gamma: 0.25 },
};

/**
 * The fuzzy toy: how much thinking likes tokens 0 and 1 more than the others, by how many tau they differ, how far apart
 * their embeddings lie, and how much all thinking rows have in common.
 */
const FAVOUR = 2;
const TIE_WIDTH = 1.2;
const SPREAD = 0.6;
const COMMON = 1;

/**
 * The toy of one mode (tau 1, 0.5 and 0.0001). In the fuzzy one tokens 0 and 1 have head rows that differ by about tau,
 * and tower over the others wherever the noise may lead, so that the two top logits lie within about tau at both
 * steps; it must be untied, for tied its two embeddings would be one. `overrides` gives other shapes:
 * `{ tied: true }` has weights of its own in soft mode; others are not searched, so look at the judgement's power. A
 * wider model takes more nodes to integrate: nodes^hiddenSize points a step.
 */
export function makeToy(mode: Toy["mode"], overrides: Partial<ModelConfig> = {}): Toy {
  const config = { ...TOY_CONFIG, ...overrides };
  const recipe = mode === "soft" && config.tied ? TIED_SOFT : RECIPES[mode];
  const { tau } = recipe;
  const forced = [3];
  const weights: Weights = new Map();
  let seed = recipe.seed;
  for (const [name, shape] of weightShapes(config)) {
    const values = randomArray(seed++, shape.reduce((a, b) => a * b), scaleOf(name, recipe));
    weights.set(name, name.endsWith("norm.weight") ? values.map((v) => 1 + v) : values);
  }
  if (mode === "fuzzy") nearlyTie({ config, weights, tau, forced });
  for (const [name, values] of weights) weights.set(name, Float64Array.from(values, Math.fround));
  const rewards = [100, 0, 10, 60, 0, 30, 0, 90];
  return {
    config,
    weights,
    prompt: [2, 4],
    forced,
    mode,
    tau,
    sigma: recipe.gamma * rootMeanSquare(weights.get(EMBEDDING)!),
    steps: 2,
    rewards: Array.from({ length: config.vocabSize }, (_, i) => rewards[i % rewards.length]),
  };
}

function scaleOf(name: string, recipe: Recipe): number {
  if (name.endsWith("norm.weight") || name.endsWith("bias")) return 0.1;
  if (name === EMBEDDING) return recipe.embedding;
  if (name === "lm_head.weight") return recipe.head;
  return /[vo]_proj/.test(name) ? recipe.values : recipe.matrices;
}

function nearlyTie(toy: Pick<Toy, "config" | "weights" | "tau" | "forced">): void {
  const { config, weights, tau } = toy;
  if (config.tied) throw new Error("Cannot make the fuzzy toy: its head must be untied");
  const { hiddenSize: d, vocabSize } = config;
  const table = weights.get(EMBEDDING)!;
  const head = headMatrix(config, weights);
  const apart = randomArray(99, d, TIE_WIDTH * tau);
  for (let i = 0; i < d; i++) {
    // A direction that every thinking row leans to, whatever the noise, and the row before the answer does not.
    const common = i % 2 === 0 ? 1 : -1;
    const between = i % 4 < 2 ? SPREAD : -SPREAD;
    for (let v = 0; v < vocabSize; v++) {
      if (!toy.forced.includes(v)) table[v * d + i] += COMMON * common;
      head[v * d + i] += (v < 2 ? FAVOUR : -FAVOUR) * common / d;
    }
    table[i] += between;
    table[d + i] -= between;
    // Multiples of 2^-21 are exact in float32 beside numbers below 4, so that rounding keeps the gap.
    head[i] = Math.round(head[i] * 2 ** 21) / 2 ** 21;
    head[d + i] = head[i] + Math.round(apart[i] * 2 ** 21) / 2 ** 21;
  }
}
