/** What an update tells of its rollouts, worked out by hand. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { openDryGpu, SOME_GPU } from "../../gpu/device/dry_gpu.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import type { Rollout } from "../../model/generation/rollout.ts";
import type { GradedRollout, RolloutBatch } from "../../rl/rollout_source.ts";
import { stepMetrics } from "../../rl/step_metrics.ts";
import { SMALL } from "../model/support/small_models.ts";
import { trainSettings } from "./support/train_settings.ts";

const stats = (entropy: number[]) => ({
  logp: new Float32Array(entropy.length),
  entropy: Float32Array.from(entropy),
  gap: new Float32Array(entropy.length),
});

/** A rollout of so many thoughts, each of an entropy that is the number of thoughts, and two answer tokens. */
const graded = (
  index: number,
  thoughts: number,
  reward: number,
  end: Rollout["thinkingEnd"],
): GradedRollout => ({
  rollout: {
    ...{ prompt: 0, index, thinking: Array(thoughts).fill(3), thinkingEnd: end, forced: [1] },
    ...{ forcedKind: "box", answer: [4, 5], answerEnd: index === 0 ? "limit" : "brace" },
    thinkingStats: stats(Array(thoughts).fill(thoughts)),
    answerStats: stats([0.5, 1.5]),
  },
  grade: {
    reward: 10,
    correct: reward > 50,
    answer: index === 1 ? null : "9",
    rule: index === 2 ? "time" : "numbers",
  },
  reward,
  rewards: [reward, -index],
});

const groupOf = (rollouts: GradedRollout[]): RolloutBatch["groups"][number] => ({
  question: { id: "a", question: "q", gold: "9" },
  prompt: [1, 2, 3],
  rollouts,
});

const gpu = openDryGpu(SOME_GPU);
const measure = (groups: RolloutBatch["groups"], refill?: number) =>
  stepMetrics(
    {
      model: { gpu, config: SMALL, params: undefined!, ropeTable: undefined! },
      thinking: hardThinking(1),
      rewards: [{ name: "task", weight: 1 }, { name: "short.ts", weight: 0.1, score: () => 0 }],
      settings: trainSettings({ questions: 1, group: 10, refill }),
    },
    7,
    { batch: { groups, hidden: undefined!, seconds: { generate: 2, grade: 1 } }, parts: [], records: [] },
    {
      gradientNorm: 3,
      lr: 0.5,
      clock: {
        seconds: { step: 4, rollout: 2, grade: 1, update: 1 },
        process_peak_bytes: 1,
        device_peak_bytes: 1,
      },
    },
  );

Deno.test("means, spreads, lengths and shares of ten rollouts", () => {
  const ends: Rollout["thinkingEnd"][] = ["trigger", "limit", "end-token"];
  // Lengths 10, 9, ..., 1: the order in which they come decides nothing.
  const rollouts = Array.from({ length: 10 }, (_, i) => graded(i, 10 - i, i < 4 ? 100 : 10, ends[i % 3]));
  const found = measure([groupOf(rollouts)], 1);
  assertEquals([found.step, found.gradient_norm, found.lr], [7, 3, 0.5]);
  assertAlmostEquals(found.reward, 46);
  // Sample deviation: 4 x 54^2 + 6 x 36^2 over 9.
  assertAlmostEquals(found.reward_sd, Math.sqrt((4 * 54 ** 2 + 6 * 36 ** 2) / 9));
  assertAlmostEquals(found.rewards!["short.ts"], -4.5);
  assertAlmostEquals(found.rewards_sd!["short.ts"], Math.sqrt(82.5 / 9));
  assertEquals([found.accuracy, found.extracted, found.undecided, found.unclosed], [0.4, 0.9, 1, 0.1]);
  assertEquals([found.triggered, found.cut], [0.4, 0.3]);
  assertEquals([found.thinking_tokens, found.thinking_tokens_p10, found.thinking_tokens_p90], [5.5, 1, 9]);
  assertEquals(found.thinking_tokens_ended, (10 + 7 + 4 + 1) / 4);
  assertEquals([found.answer_tokens, found.tokens], [2, 75]);
  // Over steps, not over rollouts: the sum of squares by the sum.
  assertAlmostEquals(found.thinking_entropy, 385 / 55);
  assertEquals(found.answer_entropy, 1);
  assertEquals([found.equal_groups, found.refilled], [0, 0]);
  assertEquals(found.time.rollout_tokens_per_second, 37.5);
});

Deno.test("groups without a difference are counted, those drawn beyond the update, too; one rollout has no spread", () => {
  const equal = groupOf([graded(0, 2, 10, "limit"), graded(1, 2, 10, "limit")]);
  const other = groupOf([graded(2, 2, 10, "limit"), graded(3, 2, 100, "limit")]);
  const found = measure([equal, other, equal], 2);
  assertAlmostEquals(found.equal_groups, 2 / 3);
  assertEquals(found.refilled, 2);
  assertEquals(found.thinking_tokens_ended, null);
  assertEquals(measure([groupOf([graded(0, 1, 10, "limit")])]).reward_sd, 0);
  assertEquals(measure([equal]).refilled, undefined);
});
