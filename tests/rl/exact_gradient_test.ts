/**
 * The whole estimator (rollouts on the device, leave-one-out advantages, the objective's backward) against the gradient
 * of the expected reward, which is known exactly on a toy of fixed length: its mean has to be that gradient, in each
 * way of thinking. Then one batch against the reference's loss, fed the same noise and thoughts.
 */
import { assert } from "@std/assert";
import { constantRate } from "../../cli/bench/constant_rate.ts";
import { createOptimizer, optimizerStep } from "../../rl/optimizer.ts";
import { exactGradient, expectedReward } from "../reference/exact_toy.ts";
import { policyLoss } from "../reference/policy_loss.ts";
import { maxAbsoluteError } from "../reference/support.ts";
import { makeToy } from "../reference/toy.ts";
import { judgeEstimates } from "../reference/toy_estimator.ts";
import { downloadNamed, gradientError } from "./support/named_weights.ts";
import { estimateOnDevice, recorded, thinkingOf, withToy } from "./support/toy_batch.ts";

const BATCHES = 60;

const TOYS = [
  { name: "hard", mode: "hard", tied: false },
  { name: "soft", mode: "soft", tied: false },
  { name: "fuzzy", mode: "fuzzy", tied: false },
  { name: "soft, tied", mode: "soft", tied: true },
] as const;

for (const spec of TOYS) {
  Deno.test(`${spec.name}: the mean of ${BATCHES} gradients from rollouts is that of the expected reward`, () =>
    withToy(makeToy(spec.mode, { tied: spec.tied }), async (on) => {
      const estimates = [];
      for (let step = 0; step < BATCHES; step++) {
        estimates.push((await estimateOnDevice(on, thinkingOf(on.toy), step)).gradients);
      }
      const judgement = judgeEstimates(estimates, exactGradient(on.toy, 4));
      if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) {
        console.error(
          `ERROR ${judgement.worst.toFixed(1)} ${spec.name}: ${JSON.stringify(judgement.partPower)}`,
        );
      }
      assert(judgement.coordinates > 180, `${judgement.coordinates} coordinates`);
      assert(judgement.worst < 4.5, `worst deviation ${judgement.worst} standard errors`);
      assert(judgement.constantError < 1e-9, `constant coordinates off by ${judgement.constantError}`);
      const { answer, logits, mixture } = judgement.partPower;
      const told = JSON.stringify(judgement.partPower);
      assert(answer > 5 && logits > 5 && (spec.mode === "hard" || mixture > 5), `weak parts: ${told}`);
      for (const [key, power] of judgement.power) assert(power > 5, `${key}: only ${power} standard errors`);
    }));

  Deno.test(`${spec.name}: the gradient of one batch is that of the reference's loss`, () =>
    withToy(makeToy(spec.mode, { tied: spec.tied }), async (on) => {
      const { toy } = on;
      const step = 1000;
      const batch = await estimateOnDevice(on, thinkingOf(toy), step);
      const rollouts = recorded(toy, step, batch);
      const reference = policyLoss(toy.config, toy.weights, { ...toy, rollouts });
      const error = gradientError(batch.gradients, reference.gradients);
      // Logits of about 2 are known to 2e-7 in f32: a thousandth of the fuzzy temperature.
      assert(error <= (spec.mode === "fuzzy" ? 1e-7 : 1e-11), `normalised error ${error}`);
      const logp = (parts: Float64Array[]) => parts.flatMap((part) => [...part]);
      const answers = logp(reference.answerLogProbabilities);
      assert(maxAbsoluteError(batch.record.answer, answers) < 1e-5, "ln p of the answers");
      const steps = logp(reference.thinkingLogProbabilities);
      if (spec.mode === "hard") {
        assert(maxAbsoluteError(batch.record.thinking, steps) < 1e-5, "ln p of the steps");
      } else assert(batch.record.thinking.every((deviation) => deviation === 0), "the mixtures deviate");
    }));
}

Deno.test("fuzzy: updates raise the exact expected reward of the toy with a near-tie", () =>
  withToy(makeToy("fuzzy"), async (on) => {
    const { toy, model, grads } = on;
    const { gpu } = model;
    const optimizer = createOptimizer(gpu, toy.config);
    const steps = 30;
    const settings = constantRate(3e-3, steps);
    const before = expectedReward(toy);
    for (let step = 1; step <= steps; step++) {
      await estimateOnDevice(on, thinkingOf(toy), 1000 + step);
      optimizerStep(gpu, model.params, grads, optimizer, settings, step);
    }
    const trained = await downloadNamed(gpu, toy.config, model.params);
    const weights = new Map([...trained].map(([name, values]) => [name, Float64Array.from(values)]));
    const after = expectedReward({ ...toy, weights });
    assert(after > before + 0.05, `expected reward ${before} before, ${after} after`);
  }));
