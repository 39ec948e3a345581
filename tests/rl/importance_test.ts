/**
 * Rollouts of older weights: each action's gradient is that of its log-probability now, weighed by its truncated importance ratio, against the
 * f64 reference; where nothing has moved it is the on-policy gradient to the bit. And what is told of the ratios.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { MOST_RATIO } from "../../model/thinking/importance.ts";
import { importanceOf } from "../../rl/importance.ts";
import { assertSameBits } from "../gpu/support.ts";
import { policyLoss } from "../reference/policy_loss.ts";
import { maxAbsoluteError, randomArray } from "../reference/support.ts";
import { makeToy, type Toy } from "../reference/toy.ts";
import type { Weights } from "../reference/transformer.ts";
import { gradientError } from "./support/named_weights.ts";
import { estimateOnDevice, recorded, thinkingOf, withToy } from "./support/toy_batch.ts";

const STEP = 1000;

const TOYS = [
  { name: "hard", mode: "hard", tied: false, by: 0.4 },
  { name: "soft", mode: "soft", tied: false, by: 0.04 },
  { name: "soft, tied", mode: "soft", tied: true, by: 0.08 },
  // Hardly moved: at this temperature a near-tie's mixture follows a ten-thousandth of a logit.
  { name: "fuzzy", mode: "fuzzy", tied: false, by: 1e-5 },
] as const;

/** The weights of a toy, each a little further. */
function movedBy(by: number, { weights }: Toy): Weights {
  let seed = 700;
  return new Map(
    [...weights].map(([name, values]) => {
      const off = randomArray(seed++, values.length, by);
      return [name, values.map((value, i) => Math.fround(value + off[i]))];
    }),
  );
}

for (const { name, mode, tied, by } of TOYS) {
  Deno.test(`${name}: the gradient from older weights' rollouts is the reference's; where none moved it has the on-policy one's bits`, () =>
    withToy(makeToy(mode, { tied }), async (on) => {
      const { toy } = on;
      const thinking = thinkingOf(toy);
      const plain = await estimateOnDevice(on, thinking, STEP);
      const same = await estimateOnDevice(on, thinking, STEP, 0, toy.weights);
      for (const [name, gradient] of plain.gradients) {
        assertSameBits(name, same.gradients.get(name)!, gradient);
      }
      const ones = same.record.logRatios!;
      assert([...ones.thinking, ...ones.answer].every((one) => one === 0), "a ratio is not 1");
      assertEquals(plain.record.logRatios, undefined);
      assertEquals(importanceOf(thinking, { staleness: 3, width: 4, step: 1 }, [same.record]), {
        ...{ rollout_age: 0, ratio_thinking_mean: 1, ratio_thinking_truncated: 0, ratio_thinking_kl: 0 },
        ...{ ratio_answer_mean: 1, ratio_answer_truncated: 0, ratio_answer_kl: 0 },
      });

      const moved = movedBy(by, toy);
      const batch = await estimateOnDevice(on, thinking, STEP, 0, moved);
      const rollouts = recorded(toy, STEP, batch);
      const expected = policyLoss(toy.config, moved, { ...toy, rollouts, mostRatio: MOST_RATIO });
      for (const part of ["thinking", "answer"] as const) {
        const ratios = expected.logRatios[part];
        const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
        // Logits of about 2 are known to 2e-7 in f32: a thousandth of the fuzzy temperature.
        const error = maxAbsoluteError(batch.record.logRatios![part], ratios);
        assert(error < (mode === "fuzzy" ? 0.05 : 1e-4), `ln r of ${part}: off by ${error}`);
        if (mode === "fuzzy" && part === "answer") continue;
        assert(least < -0.1 && most > Math.log(MOST_RATIO), `ln r of ${part} is ${least} to ${most}`);
      }
      const error = gradientError(batch.gradients, expected.gradients);
      assert(error <= (mode === "fuzzy" ? 5e-5 : 1e-11), `normalised error ${error}`);
      const whole = policyLoss(toy.config, moved, { ...toy, rollouts, mostRatio: Infinity });
      assert(gradientError(batch.gradients, whole.gradients) > 1e-4, "truncation changed nothing");
    }));
}

const recordOf = (logRatios: { thinking: number[]; answer: number[] }, thinking: number[] = []) => {
  const none = new Float32Array(0);
  const numbers = (values: number[]) => Float32Array.from(values);
  const ratios = { thinking: numbers(logRatios.thinking), answer: numbers(logRatios.answer) };
  return { thinking: numbers(thinking), thinkingStats: none, answer: none, logRatios: ratios };
};

Deno.test("what is told of ratios: means over all micro-batches, the share above the bound, the divergence", () => {
  const records = [
    recordOf({ thinking: [Math.log(3), 0], answer: [] }),
    recordOf({ thinking: [-Infinity], answer: [1] }),
  ];
  const told = importanceOf({ continuous: false }, { staleness: 2, width: 4, step: 9 }, records)!;
  assertEquals(told.rollout_age, 2);
  assertAlmostEquals(told.ratio_thinking_mean!, 4 / 3, 1e-6);
  assertAlmostEquals(told.ratio_thinking_truncated!, 1 / 3, 1e-12);
  // r - 1 - ln r of 3, 1 and 0, whose logarithm counts as -10,000.
  assertAlmostEquals(told.ratio_thinking_kl!, (2 - Math.log(3) + 9999) / 3, 1e-3);
  assertAlmostEquals(told.ratio_answer_mean!, Math.E, 1e-6);
  assertAlmostEquals(told.ratio_answer_kl!, Math.E - 2, 1e-6);
  const rows = [recordOf({ thinking: [0.1, -0.3], answer: [] }, [0.5, 0.25])];
  const exact = importanceOf({ continuous: true }, { staleness: 1, width: 8, step: 2 }, rows)!;
  // d / 2 times the mean square of the deviations, in units of the noise.
  assertAlmostEquals(exact.ratio_thinking_kl!, 4 * (0.25 + 0.0625) / 2, 1e-12);
  assertEquals([exact.ratio_answer_mean, exact.ratio_answer_kl, exact.rollout_age], [null, null, 1]);
  assertEquals(importanceOf({ continuous: true }, { width: 8, step: 2 }, rows), undefined);
});
