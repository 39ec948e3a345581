/** The policy-gradient estimator on the exact toy, in f64, and the test that a mean of estimates is the exact gradient. */
import { type ExactGradient, type GradientParts, toyLogits } from "./exact_toy.ts";
import { policyLoss, type RecordedRollout } from "./policy_loss.ts";
import { noiseRow, uniformAt } from "./random.ts";
import { sampleInverseCdf } from "./sampling.ts";
import { addNoise, softMixture } from "./soft_mixture.ts";
import { softmax } from "./softmax.ts";
import type { Toy } from "./toy.ts";
import { EMBEDDING, type Weights } from "./transformer.ts";

/** Philox domains of the reference's own draws. */
const NOISE_DOMAIN = 0;
const TOKEN_DOMAIN = 1;

/** One batch of `group` rollouts of the toy's prompt, with leave-one-out advantages. */
export function sampleToyRollouts(toy: Toy, group: number, seed: number, step: number): RecordedRollout[] {
  const { config, mode, tau, sigma, prompt, forced } = toy;
  const { hiddenSize: d, vocabSize } = config;
  const table = toy.weights.get(EMBEDDING)!;
  const address = (domain: number, rollout: number, position: number) => ({
    seed,
    domain,
    position,
    rollout,
    step,
  });
  const draw = (p: Float64Array, r: number, position: number) =>
    sampleInverseCdf(
      p.subarray(r * vocabSize, (r + 1) * vocabSize),
      uniformAt(address(TOKEN_DOMAIN, r, position)),
      vocabSize,
    );

  const rows = Array.from({ length: group }, () => new Float64Array(toy.steps * d));
  const noise = Array.from({ length: group }, () => new Float64Array(toy.steps * d));
  const tokens = rows.map((): number[] => []);
  for (let t = 0; t < toy.steps; t++) {
    const taken = Float64Array.from(rows.flatMap((row) => [...row.subarray(0, t * d)]));
    const logits = repeated(toyLogits(toy, taken, t === 0 ? 1 : group), group * vocabSize);
    const shape = { rows: group, vocabSize, d, tau };
    const { argmax, probabilities } = softmax(logits, group, vocabSize, tau);
    const { mixture } = softMixture(logits, table, shape);
    for (let r = 0; r < group; r++) {
      const position = prompt.length + t;
      const token = mode === "hard" ? draw(probabilities, r, position) : argmax[r];
      tokens[r].push(token);
      if (mode === "hard") {
        rows[r].set(table.subarray(token * d, (token + 1) * d), t * d);
      } else {
        const eps = noiseRow(address(NOISE_DOMAIN, r, position), d);
        noise[r].set(eps, t * d);
        rows[r].set(addNoise(mixture.subarray(r * d, (r + 1) * d), eps, sigma), t * d);
      }
    }
  }
  const all = Float64Array.from(rows.flatMap((row) => [...row]));
  const { probabilities } = softmax(toyLogits(toy, all, group), group, vocabSize);
  const answers = rows.map((_, r) => draw(probabilities, r, prompt.length + toy.steps + forced.length));
  const rewards = answers.map((a) => toy.rewards[a] / 100);
  const total = rewards.reduce((a, b) => a + b, 0);
  return answers.map((answer, r) => ({
    question: 0,
    prompt,
    thinking: tokens[r],
    forced,
    answer: [answer],
    advantage: rewards[r] - (total - rewards[r]) / (group - 1),
    ...(mode === "hard" ? {} : { noise: noise[r], thoughts: rows[r] }),
  }));
}

/** One estimate: the gradient of the policy loss of a fresh batch. Its mean is minus the exact gradient. */
export function estimateGradient(toy: Toy, group: number, seed: number, step: number): Weights {
  const rollouts = sampleToyRollouts(toy, group, seed, step);
  return policyLoss(toy.config, toy.weights, { ...toy, rollouts }).gradients;
}

/** How a set of estimates compares with the exact gradient. */
export interface Judgement {
  /** Coordinates compared: those whose estimates vary. */
  coordinates: number;
  /** Largest |mean + exact| in standard errors of the mean. */
  worst: number;
  /** Mean over coordinates of its square; 1 is expected. */
  meanSquare: number;
  /** By parameter, the largest |exact| in standard errors: what would be noticed if the term were missing. */
  power: Map<string, number>;
  /** By part of the gradient, the same: what would be noticed if that term of the log-probability were lost. */
  partPower: Record<keyof GradientParts, number>;
  /** Largest |mean + exact| of coordinates whose estimates do not vary: 0 is expected. */
  constantError: number;
}

/** Judges gradients of the *loss* (at least 30 batches) by parameter name against minus the exact gradient of the reward. */
export function judgeEstimates(
  estimates: Map<string, ArrayLike<number>>[],
  exact: ExactGradient,
): Judgement {
  const n = estimates.length;
  const result: Judgement = {
    coordinates: 0,
    worst: 0,
    meanSquare: 0,
    power: new Map(),
    partPower: { answer: 0, logits: 0, mixture: 0 },
    constantError: 0,
  };
  for (const [name, gradient] of exact.gradients) {
    let power = 0;
    for (let i = 0; i < gradient.length; i++) {
      const values = estimates.map((e) => e.get(name)![i]);
      const mean = values.reduce((a, b) => a + b, 0) / n;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
      const deviation = Math.abs(mean + gradient[i]);
      if (variance === 0) {
        result.constantError = Math.max(result.constantError, deviation);
        continue;
      }
      const standardError = Math.sqrt(variance / n);
      power = Math.max(power, Math.abs(gradient[i]) / standardError);
      for (const part of ["answer", "logits", "mixture"] as const) {
        const size = Math.abs(exact.parts[part].get(name)![i]) / standardError;
        result.partPower[part] = Math.max(result.partPower[part], size);
      }
      result.coordinates++;
      result.worst = Math.max(result.worst, deviation / standardError);
      result.meanSquare += (deviation / standardError) ** 2;
    }
    result.power.set(name, power);
  }
  result.meanSquare /= result.coordinates;
  return result;
}

/** The one row of the prompt, as many times as there are rollouts. */
function repeated(values: Float64Array, length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => values[i % values.length]);
}
