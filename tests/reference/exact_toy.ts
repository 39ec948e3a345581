/**
 * A toy of fixed length whose expected reward can be differentiated exactly: a prompt, two thinking steps, one forced
 * token, one answer token that alone decides the reward. Hard thinking is summed over all paths; soft and fuzzy
 * thinking are integrated over the noise by Gauss-Hermite quadrature, and the gradient is taken *along the path*
 * (thoughts move with the parameters), a derivation that shares nothing with the policy gradient it judges.
 */
import type { ModelConfig } from "../../model/transformer/config.ts";
import { packedLayout } from "./attention.ts";
import { embeddingBackward, embeddingGather } from "./embedding.ts";
import { gaussHermiteGrid, type QuadratureGrid } from "./gauss_hermite.ts";
import { softMixture, softMixtureBackward } from "./soft_mixture.ts";
import { softmax, softmaxBackward } from "./softmax.ts";
import { addInto, dot } from "./support.ts";
import {
  EMBEDDING,
  headBackward,
  headForward,
  transformerBackward,
  transformerForward,
  type Weights,
  zeroGradients,
} from "./transformer.ts";
import type { Toy, ToyProblem } from "./toy.ts";

/**
 * The gradient by the term of the log-probability that brings it in; an absent term would leave its part out of the
 * mean. "answer": the answer's token. "logits": the thinking steps, through the logits that made them. "mixture": soft
 * and fuzzy steps, through E in m = p E (path (c) of method section 3, point 5).
 */
export interface GradientParts {
  answer: Weights;
  logits: Weights;
  mixture: Weights;
}

/** Expected reward (divided by 100) and its gradient by parameter; the policy loss's mean gradient is minus it. */
export interface ExactGradient {
  expectedReward: number;
  gradients: Weights;
  /** What `gradients` is the sum of. */
  parts: GradientParts;
}

/** The expected reward alone (divided by 100), for finite differences. */
export function expectedReward(toy: Toy, nodes = 4): number {
  return integrate(toy, nodes);
}

/** Expected reward and exact gradient. `nodes` per dimension and step is the accuracy of the quadrature. */
export function exactGradient(toy: Toy, nodes = 4): ExactGradient {
  return sumOfParts(toy.config, (parts) => integrate(toy, nodes, parts));
}

/** The gradient whose parts, and value, `integrate` finds. */
export function sumOfParts(
  config: ModelConfig,
  integrate: (parts: GradientParts) => number,
): ExactGradient {
  const parts = {
    answer: zeroGradients(config),
    logits: zeroGradients(config),
    mixture: zeroGradients(config),
  };
  const value = integrate(parts);
  const gradients = zeroGradients(config);
  for (const part of Object.values(parts)) {
    for (const [name, gradient] of part) addInto(gradients.get(name)!, gradient);
  }
  return { expectedReward: value, gradients, parts };
}

function integrate(toy: Toy, nodes: number, parts?: GradientParts): number {
  if (toy.mode === "hard") return sumOverTokens(toy, parts);
  return integrateOverNoise(toy, gaussHermiteGrid(nodes, toy.config.hiddenSize), parts);
}

/** Sums over both thinking tokens: with value v after a step, dv/dz = p (v_next - v) / tau. */
function sumOverTokens(toy: Toy, parts?: GradientParts): number {
  const { vocabSize, hiddenSize: d } = toy.config;
  const table = toy.weights.get(EMBEDDING)!;
  const tokens = Array.from({ length: vocabSize }, (_, i) => i);
  const pairs = tokens.flatMap((a) => tokens.map((b) => [a, b]));
  const first = toyForward(toy, new Float64Array(0), [], 1);
  const second = toyForward(toy, embeddingGather(table, tokens, d), tokens, vocabSize);
  const last = toyForward(toy, embeddingGather(table, pairs.flat(), d), pairs.flat(), pairs.length);
  const p1 = softmax(first.logits, 1, vocabSize, toy.tau).probabilities;
  const p2 = softmax(second.logits, vocabSize, vocabSize, toy.tau).probabilities;
  const ends = answerValues(toy, last.logits, pairs.length);
  const afterFirst = new Float64Array(vocabSize);
  pairs.forEach(([a], i) => afterFirst[a] += p2[i] * ends.values[i]);
  if (parts) {
    last.backward(ends.backward(pairs.map(([a], i) => p1[a] * p2[i])), parts.answer);
    const dP2 = Float64Array.from(pairs, ([a], i) => p1[a] * ends.values[i]);
    second.backward(softmaxBackward(dP2, p2, vocabSize, vocabSize, toy.tau), parts.logits);
    first.backward(softmaxBackward(afterFirst, p1, 1, vocabSize, toy.tau), parts.logits);
  }
  return dot(p1, afterFirst);
}

/** Integrates over the noise of both thoughts: the first step's grid, and for each of its nodes the second's. */
function integrateOverNoise(toy: Toy, grid: QuadratureGrid, parts?: GradientParts): number {
  const { hiddenSize: d } = toy.config;
  const count = grid.weights.length;
  const noisy = (mean: Float64Array) => grid.points.map((eps, i) => mean[i % d] + toy.sigma * eps);

  const first = toyForward(toy, new Float64Array(0), [], 1);
  const mixture1 = mixtureOf(toy, first.logits, 1);
  const thoughts1 = noisy(mixture1.mean); // [count, d]
  const second = toyForward(toy, thoughts1, [], count);
  const mixture2 = mixtureOf(toy, second.logits, count);
  let value = 0;
  const dThoughts1 = new Float64Array(count * d);
  const dMean2 = new Float64Array(count * d);
  for (let n = 0; n < count; n++) {
    // All second thoughts after the n-th first one: [count, 2, d].
    const thought1 = thoughts1.subarray(n * d, (n + 1) * d);
    const thoughts2 = noisy(mixture2.mean.subarray(n * d, (n + 1) * d));
    const both = new Float64Array(count * 2 * d);
    for (let m = 0; m < count; m++) {
      both.set(thought1, m * 2 * d);
      both.set(thoughts2.subarray(m * d, (m + 1) * d), (m * 2 + 1) * d);
    }
    const last = toyForward(toy, both, [], count);
    const ends = answerValues(toy, last.logits, count);
    const weights = grid.weights.map((w) => w * grid.weights[n]);
    value += dot(weights, ends.values);
    if (!parts) continue;
    const dBoth = last.backward(ends.backward(weights), parts.answer);
    for (let i = 0; i < dBoth.length; i++) {
      const to = i % (2 * d) < d ? dThoughts1 : dMean2;
      to[n * d + i % d] += dBoth[i];
    }
  }
  if (parts) {
    addInto(dThoughts1, second.backward(mixture2.backward(dMean2, parts.mixture), parts.logits));
    const dMean1 = new Float64Array(d);
    for (let i = 0; i < dThoughts1.length; i++) dMean1[i % d] += dThoughts1[i];
    first.backward(mixture1.backward(dMean1, parts.mixture), parts.logits);
  }
  return value;
}

/** m = p E of rows of logits; `backward` adds E's gradient in m = p E and returns the logits'. */
function mixtureOf(toy: Toy, logits: Float64Array, rows: number) {
  const { vocabSize, hiddenSize: d } = toy.config;
  const table = toy.weights.get(EMBEDDING)!;
  const shape = { rows, vocabSize, d, tau: toy.tau };
  const { mixture, probabilities } = softMixture(logits, table, shape);
  const backward = (dMean: Float64Array, gradients: Weights) => {
    const { dLogits, dTable } = softMixtureBackward(dMean, probabilities, table, shape);
    addInto(gradients.get(EMBEDDING)!, dTable);
    return dLogits;
  };
  return { mean: mixture, backward };
}

/** Expected reward / 100 of each row's answer, and its gradient for given weights of the rows. */
export function answerValues(toy: ToyProblem, logits: Float64Array, rows: number) {
  const { vocabSize } = toy.config;
  const { probabilities } = softmax(logits, rows, vocabSize);
  const rewards = toy.rewards.map((r) => r / 100);
  const values = Float64Array.from(
    { length: rows },
    (_, r) => rewards.reduce((sum, reward, i) => sum + reward * probabilities[r * vocabSize + i], 0),
  );
  const backward = (weights: ArrayLike<number>) => {
    const upstream = probabilities.map((_, i) => weights[Math.floor(i / vocabSize)] * rewards[i % vocabSize]);
    return softmaxBackward(upstream, probabilities, rows, vocabSize);
  };
  return { values, backward };
}

/**
 * The logits [count, vocabSize] after `count` beginnings that share the prompt: thoughts [count, t, d], and after the
 * last step the forced tokens. `backward` adds the parameters' gradients, the look-ups of `tokens` (the ids behind
 * the thoughts, if hard) among them, and returns the gradient of the thoughts; it is given that of the logits, or of the rows
 * hidden [count, d] that they were made from, past the head.
 */
export function toyForward(toy: ToyProblem, thoughts: Float64Array, tokens: number[], count: number) {
  const { config, weights, prompt } = toy;
  const { hiddenSize: d, vocabSize } = config;
  const table = weights.get(EMBEDDING)!;
  const taken = thoughts.length / (count * d);
  const forced = taken === toy.steps ? toy.forced : [];
  const width = taken + forced.length;
  const rows = prompt.length + count * width;
  const x = new Float64Array(rows * d);
  x.set(embeddingGather(table, prompt, d));
  const thoughtRow = (i: number) => prompt.length + Math.floor(i / taken) * width + i % taken;
  for (let i = 0; i < count * taken; i++) x.set(thoughts.subarray(i * d, (i + 1) * d), thoughtRow(i) * d);
  const forcedRows = Array.from(
    { length: count },
    (_, n) => forced.map((_, i) => prompt.length + n * width + taken + i),
  ).flat();
  const forcedIds = Array.from({ length: count }, () => forced).flat();
  forcedRows.forEach((row, i) => x.set(table.subarray(forcedIds[i] * d, (forcedIds[i] + 1) * d), row * d));

  const layout = packedLayout([{ prompt: prompt.length, continuations: Array(count).fill(width) }]);
  const trace = transformerForward(config, weights, x, layout);
  const lastRows = Array.from({ length: count }, (_, n) => prompt.length + (n + 1) * width - 1);
  const hidden = embeddingGather(trace.hidden, lastRows, d);
  const backward = (dOutput: Float64Array, gradients: Weights, of: "logits" | "hidden" = "logits") => {
    const dLast = of === "hidden" ? dOutput : headBackward(config, weights, hidden, dOutput, gradients);
    const dHidden = embeddingBackward(dLast, lastRows, rows, d);
    const dx = transformerBackward(config, weights, trace, dHidden, gradients);
    const thoughtRows = Array.from({ length: count * taken }, (_, i) => thoughtRow(i));
    const dThoughts = embeddingGather(dx, thoughtRows, d);
    const lookUp = (ids: number[], at: number[]) =>
      addInto(gradients.get(EMBEDDING)!, embeddingBackward(embeddingGather(dx, at, d), ids, vocabSize, d));
    lookUp(prompt, prompt.map((_, i) => i));
    lookUp(forcedIds, forcedRows);
    if (tokens.length > 0) lookUp(tokens, thoughtRows);
    return dThoughts;
  };
  return { logits: headForward(config, weights, hidden), hidden, backward };
}

/** Logits [count, vocabSize] that predict what follows thoughts [count, t, d] (t = 0, 1 or 2; after 2, the answer). */
export function toyLogits(toy: ToyProblem, thoughts: Float64Array, count: number): Float64Array {
  return toyForward(toy, thoughts, [], count).logits;
}
