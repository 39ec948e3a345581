/** The toy of fixed length on which each way of thinking is judged: its shape, weights, prompt and rewards. */
import type { ModelConfig } from "../../model/transformer/config.ts";
import { rootMeanSquare } from "./soft_mixture.ts";
import { randomArray } from "./support.ts";
import { EMBEDDING, headMatrix, type Weights, weightShapes } from "./transformer.ts";

/** A tiny transformer, what it is asked, and what its answers are worth. */
export interface ToyProblem {
  config: ModelConfig;
  /** Float32-representable values. */
  weights: Weights;
  prompt: number[];
  forced: number[];
  /** Thinking steps. */
  steps: 2;
  /** [vocabSize], in [0, 100], by answer token. The exact gradient is that of the expected reward / 100. */
  rewards: number[];
}

/** A toy problem, and how it is thought about. */
export interface Toy extends ToyProblem {
  mode: "hard" | "soft" | "fuzzy";
  tau: number;
  /** gamma * RMS(E) of the weights as made: a constant of the gradient. */
  sigma: number;
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
 * The fuzzy toy: how much thinking likes tokens 0 and 1 more than the others, how much all thinking rows have in common, by how many tau
 * the two tokens differ, and how far apart their embeddings lie. The pair's toy has the first two of these.
 */
const FAVOUR = 2;
const COMMON = 1;
const TIE_WIDTH = 1.2;
const SPREAD = 0.6;

/** Searched like these, and for a toy whose answers all come up: a rare one's gradient is in the mean and not in the estimates. */
const PAIR = { seed: 4741000, embedding: 1, head: 0.4, values: 0.9, matrices: 0.4 };

const FORCED = [3];

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
  const weights = drawWeights(config, recipe);
  if (mode === "fuzzy") nearlyTie({ config, weights, tau });
  const problem = problemOf(config, weights);
  return { ...problem, mode, tau, sigma: recipe.gamma * rootMeanSquare(problem.weights.get(EMBEDDING)!) };
}

/**
 * The toy of ways that mix the two likeliest tokens: 0 and 1 tower over the others at both steps, whatever the mixture that was fed, so that
 * no other token ever joins them.
 */
export function makePairToy(): ToyProblem {
  const weights = drawWeights(TOY_CONFIG, PAIR);
  const head = headMatrix(TOY_CONFIG, weights);
  leanToCommon(TOY_CONFIG, weights.get(EMBEDDING)!);
  favourFirstTwo(TOY_CONFIG, head);
  return problemOf(TOY_CONFIG, weights);
}

/** The direction [d] of hidden rows in which the difference of the first two logits grows. */
export function betweenFirstTwo({ config, weights }: ToyProblem): Float64Array {
  const { hiddenSize: d } = config;
  const head = headMatrix(config, weights);
  return Float64Array.from({ length: d }, (_, i) => head[i] - head[d + i]);
}

function drawWeights(config: ModelConfig, recipe: Omit<Recipe, "tau" | "gamma">): Weights {
  const weights: Weights = new Map();
  let seed = recipe.seed;
  for (const [name, shape] of weightShapes(config)) {
    const values = randomArray(seed++, shape.reduce((a, b) => a * b), scaleOf(name, recipe));
    weights.set(name, name.endsWith("norm.weight") ? values.map((v) => 1 + v) : values);
  }
  return weights;
}

function problemOf(config: ModelConfig, weights: Weights): ToyProblem {
  const rewards = [100, 0, 10, 60, 0, 30, 0, 90];
  return {
    config,
    weights: new Map([...weights].map(([name, values]) => [name, Float64Array.from(values, Math.fround)])),
    prompt: [2, 4],
    forced: FORCED,
    steps: 2,
    rewards: Array.from({ length: config.vocabSize }, (_, i) => rewards[i % rewards.length]),
  };
}

function scaleOf(name: string, recipe: Omit<Recipe, "tau" | "gamma">): number {
  if (name.endsWith("norm.weight") || name.endsWith("bias")) return 0.1;
  if (name === EMBEDDING) return recipe.embedding;
  if (name === "lm_head.weight") return recipe.head;
  return /[vo]_proj/.test(name) ? recipe.values : recipe.matrices;
}

function nearlyTie(toy: Pick<Toy, "config" | "weights" | "tau">): void {
  const { config, weights, tau } = toy;
  if (config.tied) throw new Error("Cannot make the fuzzy toy: its head must be untied");
  const { hiddenSize: d } = config;
  const table = weights.get(EMBEDDING)!;
  const head = headMatrix(config, weights);
  leanToCommon(config, table);
  favourFirstTwo(config, head);
  const apart = randomArray(99, d, TIE_WIDTH * tau);
  for (let i = 0; i < d; i++) {
    const between = i % 4 < 2 ? SPREAD : -SPREAD;
    table[i] += between;
    table[d + i] -= between;
    // Multiples of 2^-21 are exact in float32 beside numbers below 4, so that rounding keeps the gap.
    head[i] = Math.round(head[i] * 2 ** 21) / 2 ** 21;
    head[d + i] = head[i] + Math.round(apart[i] * 2 ** 21) / 2 ** 21;
  }
}

/** A direction that every thinking row leans to, whatever its noise, and the row before the answer does not. */
const common = (i: number) => i % 2 === 0 ? 1 : -1;

function leanToCommon({ vocabSize, hiddenSize: d }: ModelConfig, table: Float64Array): void {
  for (let v = 0; v < vocabSize; v++) {
    if (FORCED.includes(v)) continue;
    for (let i = 0; i < d; i++) table[v * d + i] += COMMON * common(i);
  }
}

function favourFirstTwo({ vocabSize, hiddenSize: d }: ModelConfig, head: Float64Array): void {
  for (let v = 0; v < vocabSize; v++) {
    for (let i = 0; i < d; i++) head[v * d + i] += (v < 2 ? FAVOUR : -FAVOUR) * common(i) / d;
  }
}
