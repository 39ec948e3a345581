/** Which advantages give an unbiased policy gradient, by exact sums over all groups. */
import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { gaussHermite } from "../gauss_hermite.ts";
import { drGrpo, grpo, maxRl, pairedRloo, rloo } from "./advantages.ts";

type Advantages = (rewards: number[]) => number[];

/** A policy that picks one of three answers, by its logits. */
const LOGITS = [0.4, -0.3, 0.9];
const P = LOGITS.map((z) => Math.exp(z) / LOGITS.reduce((sum, other) => sum + Math.exp(other), 0));

/** The estimator's mean over all groups of answers: three numbers, one a logit. */
function meanEstimate(advantages: Advantages, rewards: number[], group: number): number[] {
  const mean = [0, 0, 0];
  for (const answers of sequences(3, group)) {
    const chance = answers.reduce((product, a) => product * P[a], 1);
    const A = advantages(answers.map((a) => rewards[a]));
    answers.forEach((a, g) =>
      P.forEach((p, i) => mean[i] += chance * A[g] * ((a === i ? 1 : 0) - p) / group)
    );
  }
  return mean;
}

/** dp_i (r_i - p . r), the gradient of the expected reward. */
function gradientOf(rewards: number[]): number[] {
  const expected = P.reduce((sum, p, i) => sum + p * rewards[i], 0);
  return P.map((p, i) => p * (rewards[i] - expected));
}

function assertClose(actual: number[], expected: number[], tolerance = 1e-12) {
  actual.forEach((value, i) => assertAlmostEquals(value, expected[i], tolerance));
}

Deno.test("rloo is unbiased, and dr-grpo is (G - 1) / G of it, group by group and in the mean", () => {
  const rewards = [1, 0.1, 0];
  for (const group of [2, 3, 5]) {
    assertClose(meanEstimate(rloo, rewards, group), gradientOf(rewards));
    assertClose(
      meanEstimate(drGrpo, rewards, group),
      gradientOf(rewards).map((g) => g * (group - 1) / group),
    );
    const some = Array.from({ length: group }, (_, g) => rewards[(g * g) % 3]);
    assertClose(drGrpo(some), rloo(some).map((a) => a * (group - 1) / group));
  }
});

Deno.test("grpo is no multiple of the gradient", () => {
  const rewards = [1, 0.1, 0];
  const ratios = meanEstimate(grpo, rewards, 4).map((g, i) => g / gradientOf(rewards)[i]);
  assert(Math.max(...ratios) / Math.min(...ratios) > 1.2, `ratios ${ratios}`);
  assertClose(grpo([1, 1, 1]), [0, 0, 0]);
  assertClose(grpo([1, 0], 0), [Math.SQRT1_2, -Math.SQRT1_2]);
});

Deno.test("max-rl has the gradient of the log-likelihood of success to order G - 1", () => {
  const rewards = [0, 1, 0];
  const p = P[1];
  for (const group of [2, 3, 5]) {
    const factor = (1 - (1 - p) ** (group - 1)) / p;
    assertClose(meanEstimate(maxRl, rewards, group), gradientOf(rewards).map((g) => g * factor));
  }
  assertClose(maxRl([0, 0]), [0, 0]);
});

/**
 * Two steps of continuous thinking with antithetic noise, and an answer: x_1 = a + sigma e_1, x_2 = b x_1^2 + sigma e_2, answer right with
 * probability q = 1/2 + c x_2 / 20, reward 1 + x_1^2 / 2 if right, else x_1 x_2. All polynomials, so that sums over nodes are exact.
 */
const THETA = { a: 0.3, b: 0.5, c: 0.9 };
const SIGMA = 0.6;
const NODES = gaussHermite(5);

function play([e1, e2]: number[], { a, b, c }: typeof THETA) {
  const x1 = a + SIGMA * e1;
  const x2 = b * x1 * x1 + SIGMA * e2;
  return { q: 0.5 + c * x2 / 20, x1, x2, right: 1 + x1 * x1 / 2, wrong: x1 * x2 };
}

/** The scores' sum of one rollout for a, b and c. */
function scores([e1, e2]: number[], isRight: boolean): number[] {
  const { x1, x2, q } = play([e1, e2], THETA);
  return [e1 / SIGMA, e2 / SIGMA * x1 * x1, isRight ? x2 / 20 / q : -x2 / 20 / (1 - q)];
}

/** The mean over two antithetic pairs, whose answers are drawn one by one. */
function meanOfPairs(advantages: Advantages): number[] {
  const mean = [0, 0, 0];
  for (const nodes of sequences(5, 4)) {
    const [e1, e2, f1, f2] = nodes.map((n) => NODES.nodes[n]);
    const chance = nodes.reduce((product, n) => product * NODES.weights[n], 1);
    const noises = [[e1, e2], [-e1, -e2], [f1, f2], [-f1, -f2]];
    const played = noises.map((noise) => play(noise, THETA));
    for (const outcome of sequences(2, 4)) {
      const odds = outcome.reduce(
        (product, right, g) => product * (right ? played[g].q : 1 - played[g].q),
        1,
      );
      const A = advantages(played.map(({ right, wrong }, g) => outcome[g] ? right : wrong));
      noises.forEach((noise, g) =>
        scores(noise, outcome[g] === 1).forEach((s, i) => mean[i] += chance * odds * A[g] * s / 4)
      );
    }
  }
  return mean;
}

/** The gradient of the expected reward for a, b and c by central differences along the path. */
function pathGradient(): number[] {
  const expected = (theta: typeof THETA) => {
    let sum = 0;
    for (const [i, j] of sequences(5, 2)) {
      const { q, right, wrong } = play([NODES.nodes[i], NODES.nodes[j]], theta);
      sum += NODES.weights[i] * NODES.weights[j] * (q * right + (1 - q) * wrong);
    }
    return sum;
  };
  return (["a", "b", "c"] as const).map((key) => {
    const at = (value: number) => expected({ ...THETA, [key]: value });
    return (at(THETA[key] + 1e-5) - at(THETA[key] - 1e-5)) / 2e-5;
  });
}

Deno.test("antithetic pairs: leaving out the pair is unbiased, leaving out one rollout is not", () => {
  const exact = pathGradient();
  assertClose(meanOfPairs(pairedRloo), exact, 1e-8);
  const plain = meanOfPairs(rloo).map((g, i) => g / exact[i]);
  console.log(
    `antithetic pairs, G 4: rloo is ${plain.map((x) => x.toFixed(3)).join(", ")} times the gradient`,
  );
  // The partner has the first step's score with the other sign: its reward, over G - 1, adds a third.
  assertAlmostEquals(plain[0], 4 / 3, 1e-8);
  // In the second step the partners' states differ: dividing by 4/3 would not help.
  assert(Math.abs(plain[1] - 4 / 3) > 0.1 && Math.abs(plain[1] - 1) > 0.02, `second step: ${plain[1]}`);
  // Answers are drawn apart, so the partner's reward is a fair baseline of theirs.
  assertAlmostEquals(plain[2], 1, 1e-8);
});

Deno.test("pairs need two of them", () => {
  assertThrows(() => pairedRloo([1, 0]), Error, "at least 4");
  assertThrows(() => pairedRloo([1, 0, 1, 0, 1]), Error, "even");
  assertClose(pairedRloo([1, 0, 0.5, 0.3]), [0.6, -0.4, 0, -0.2]);
});

/** All sequences of `length` ids below `count`. */
function sequences(count: number, length: number): number[][] {
  let all: number[][] = [[]];
  for (let i = 0; i < length; i++) {
    all = all.flatMap((head) => Array.from({ length: count }, (_, id) => [...head, id]));
  }
  return all;
}
