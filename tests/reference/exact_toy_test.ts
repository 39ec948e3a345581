/** The exact toy is exact, and the policy gradient's mean is its gradient in every mode. */
import { assert, assertAlmostEquals } from "@std/assert";
import { exactGradient, expectedReward, toyLogits } from "./exact_toy.ts";
import { gaussHermite, gaussHermiteGrid } from "./gauss_hermite.ts";
import { dot, normalisedMse } from "./support.ts";
import { makeToy, type Toy } from "./toy.ts";
import { estimateGradient, judgeEstimates, sampleToyRollouts } from "./toy_estimator.ts";

const MODES = ["hard", "soft", "fuzzy"] as const;

Deno.test("Gauss-Hermite nodes integrate the moments of a standard normal", () => {
  for (let n = 1; n <= 7; n++) {
    const { nodes, weights } = gaussHermite(n);
    const moment = (k: number) => nodes.reduce((sum, x, i) => sum + weights[i] * x ** k, 0);
    let expected = 1;
    for (let k = 0; k <= 2 * n - 1; k += 2) {
      assertAlmostEquals(moment(k) / expected, 1, 1e-10, `n ${n}, moment ${k}`);
      expected *= k + 1;
    }
  }
  const { points, weights } = gaussHermiteGrid(3, 2);
  const x2y2 = weights.map((_, i) => points[2 * i] ** 2 * points[2 * i + 1] ** 2);
  assertAlmostEquals(dot(weights, x2y2), 1, 1e-12);
});

const TOYS = [...MODES.map((mode) => ({ name: mode, mode, tied: false })), {
  name: "soft, tied",
  mode: "soft",
  tied: true,
}] as const;

for (const { name, mode, tied } of TOYS) {
  Deno.test(`${name}: the toy's gradient follows central differences of its expected reward`, () => {
    const toy = makeToy(mode, { tied });
    const { gradients } = exactGradient(toy, 2);
    for (const [key, w] of toy.weights) {
      const entries = [0, Math.floor(w.length / 3), Math.floor(2 * w.length / 3)];
      // Beside tau, the step has to be small where a weight moves one of two nearly tied logits.
      const h = mode === "fuzzy" && key === "lm_head.weight" ? 1e-8 : 1e-5;
      const numeric = entries.map((i) => {
        const saved = w[i];
        w[i] = saved + h;
        const above = expectedReward(toy, 2);
        w[i] = saved - h;
        const below = expectedReward(toy, 2);
        w[i] = saved;
        return (above - below) / (2 * h);
      });
      const error = normalisedMse(entries.map((i) => gradients.get(key)![i]), numeric);
      assert(error < 1e-8, `${key}: normalised squared error ${error}`);
    }
  });

  Deno.test(`${name}: the mean of many policy gradients is the exact one, and every term of it is seen`, () => {
    const toy = makeToy(mode, { tied });
    const estimates = Array.from({ length: 60 }, (_, step) => estimateGradient(toy, 128, 5, step));
    const judgement = judgeEstimates(estimates, exactGradient(toy, 4));
    assert(judgement.coordinates > 180);
    assert(judgement.worst < 4.5, `worst deviation ${judgement.worst} standard errors`);
    assert(judgement.constantError < 1e-12);
    const { answer, logits, mixture } = judgement.partPower;
    assert(
      answer > 10 && logits > 5 && (mode === "hard" || mixture > 5),
      JSON.stringify(judgement.partPower),
    );
    for (const [key, power] of judgement.power) assert(power > 5, `${key}: only ${power} standard errors`);
  });
}

Deno.test("the judgement notices an estimator that leaves out any one term", () => {
  const toy = makeToy("soft");
  const exact = exactGradient(toy, 4);
  const estimates = Array.from({ length: 60 }, (_, step) => estimateGradient(toy, 128, 5, step));
  for (const part of ["answer", "logits", "mixture"] as const) {
    const without = estimates.map((estimate) =>
      new Map([...estimate].map(([name, g]) => [name, g.map((x, i) => x + exact.parts[part].get(name)![i])]))
    );
    assert(judgeEstimates(without, exact).worst > 5, part);
  }
});

Deno.test("fuzzy: the two top logits stay within 3 tau of each other, and far above the others", () => {
  const toy = makeToy("fuzzy");
  const check = (thoughts: Float64Array) => {
    const [a, b, ...others] = toyLogits(toy, thoughts, 1);
    assert(Math.abs(a - b) < 3 * toy.tau);
    assert(Math.max(a, b) - Math.max(...others) > 100 * toy.tau);
  };
  check(new Float64Array(0));
  for (const thought of firstThoughts(toy)) check(thought);
});

function firstThoughts(toy: Toy): Float64Array[] {
  return sampleToyRollouts(toy, 2000, 8, 0).map((r) => r.thoughts!.slice(0, toy.config.hiddenSize));
}
