/** The reference transformer and policy loss against the golden files, and against central differences. */
import { assert, assertAlmostEquals } from "@std/assert";
import { GOLDEN_CASES, GOLDEN_MODELS, type GoldenTensor, loadGolden } from "../golden/load_golden.ts";
import { adamWStep, clipByGlobalNorm } from "./adamw.ts";
import { policyLoss } from "./policy_loss.ts";
import { noiseRow } from "./random.ts";
import { maxAbsoluteError, normalisedMse } from "./support.ts";
import { sequenceLoss } from "./sequence_loss.ts";
import { asFloat64, type Weights, zeroGradients } from "./transformer.ts";

/** The files hold gradients and trained weights as float32: relative error 6e-8, squared 4e-15. */
const FLOAT32_SQUARED = 1e-14;

function assertTensors(what: string, actual: Weights, expected: Map<string, GoldenTensor>) {
  assert(actual.size === expected.size, `${what}: ${actual.size} tensors, ${expected.size} expected`);
  for (const [name, { data }] of expected) {
    const error = normalisedMse(actual.get(name)!, data);
    assert(error <= FLOAT32_SQUARED, `${what}, ${name}: normalised squared error ${error}`);
  }
}

for (const name of GOLDEN_MODELS) {
  const golden = loadGolden(name);
  const { config } = golden;

  Deno.test(`${name}: logits, cross-entropy and its gradient are those of the golden files`, () => {
    const { logits, loss, gradients } = sequenceLoss(config, asFloat64(golden.weights), golden.sequences);
    const expected = Float64Array.from(golden.logits.flatMap((z) => [...z]));
    assert(maxAbsoluteError(logits, expected) < 1e-12);
    assertAlmostEquals(loss, golden.crossEntropy, 1e-11);
    assertTensors("cross-entropy", gradients, golden.gradients.cross_entropy);
  });

  for (const caseName of GOLDEN_CASES) {
    Deno.test(`${name}, ${caseName}: log-probabilities, loss and gradient are those of the golden files`, () => {
      const batch = golden.cases[caseName];
      const result = policyLoss(config, asFloat64(golden.weights), batch);
      assertAlmostEquals(result.loss, batch.loss, 1e-9);
      batch.rollouts.forEach((rollout, i) => {
        const [thinking, answer] = [result.thinkingLogProbabilities[i], result.answerLogProbabilities[i]];
        assert(maxAbsoluteError(thinking, rollout.thinkingLogProbabilities) < 1e-9);
        assert(maxAbsoluteError(answer, rollout.answerLogProbabilities) < 1e-11);
      });
      assertTensors(caseName, result.gradients, golden.gradients[caseName]);
    });
  }

  Deno.test(`${name}: ten AdamW steps give the golden losses and weights`, () => {
    const { training, sequences } = golden;
    const weights = asFloat64(golden.weights);
    const [first, second] = [zeroGradients(config), zeroGradients(config)];
    for (let step = 1; step <= training.steps; step++) {
      const { loss, gradients } = sequenceLoss(config, weights, sequences);
      assertAlmostEquals(loss / training.targets, training.losses[step - 1], 1e-10);
      for (const gradient of gradients.values()) {
        gradient.forEach((g, i) => gradient[i] = g / training.targets);
      }
      const norm = clipByGlobalNorm(gradients.values(), training.clip);
      assertAlmostEquals(norm, training.gradientNorms[step - 1], 1e-9);
      for (const [key, w] of weights) {
        adamWStep(w, gradients.get(key)!, first.get(key)!, second.get(key)!, { ...training, step });
      }
    }
    assertTensors("trained", weights, golden.trained);
  });
}

Deno.test("the golden noise is the noise that Philox gives for its address", () => {
  const { cases, config } = loadGolden("qwen2");
  const { seed, step, rollouts } = cases.soft;
  const { prompt, noise } = rollouts[4];
  const row = noiseRow({ seed, domain: 0, position: prompt.length + 1, rollout: 4, step }, config.hiddenSize);
  assert(maxAbsoluteError(row, noise!.slice(config.hiddenSize, 2 * config.hiddenSize)) < 1e-14);
});

Deno.test("the whole cross-entropy gradient follows central differences of the loss", () => {
  for (const name of ["llama_tied", "qwen3"] as const) {
    const { config, weights: tensors, sequences } = loadGolden(name);
    const weights = asFloat64(tensors);
    const { gradients } = sequenceLoss(config, weights, sequences);
    for (const [key, w] of weights) {
      const i = Math.floor(w.length / 3);
      const saved = w[i];
      const at = (value: number) => {
        w[i] = value;
        return sequenceLoss(config, weights, sequences).loss;
      };
      const numeric = (at(saved + 1e-5) - at(saved - 1e-5)) / 2e-5;
      w[i] = saved;
      assertAlmostEquals(gradients.get(key)![i], numeric, 1e-7, key);
    }
  }
});
