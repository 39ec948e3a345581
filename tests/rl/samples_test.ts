/** Rollouts that an update keeps: whole groups, what their steps were made of, and no bit of the training changed. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { type AnyWay, wayOfThinking, type WayOptions } from "../../model/thinking/ways.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { isSampled, type TrainSettings } from "../../rl/trainer.ts";
import type { KeptRollout } from "../../rl/samples/kept_rollout.ts";
import { createSampleBudget, keepSamples, MOST_AN_HOUR } from "../../rl/samples/sample_budget.ts";
import { trainStep } from "../../rl/train_step.ts";
import { openTestGpu } from "../gpu/support.ts";
import { misfitsOf } from "../support/schemas.ts";
import { tokenizer } from "../model/support/small_models.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const { gpu } = await openTestGpu();

/** Two updates: what they tell but for the clock, what the embedding has become, and what was kept. */
async function learned(way: AnyWay, options: Partial<WayOptions>, settings: Partial<TrainSettings>) {
  const model = tinyModel(gpu);
  const rms = await embeddingRms(model);
  const thinking = wayOfThinking(way, { greedy: false, gamma: 0.33, embeddingRms: rms, ...options });
  const trainer = smallTrainer(model, thinking, { ...SMALL_TRAINING, ...settings });
  const kept: KeptRollout[][] = [];
  const told: unknown[] = [];
  for (const step of [1, 2]) {
    const { metrics: { time, ...metrics }, kept: some } = await trainStep(trainer, step);
    assertEquals(some !== undefined, time.samples !== undefined);
    if (some) kept.push(some);
    told.push(metrics);
  }
  const embedding = await downloadMatrix(gpu, model.params.embedding);
  freeTrainer(trainer);
  freeModel(model);
  return { kept, told, embedding };
}

const KINDS: readonly [AnyWay, Partial<WayOptions>][] = [
  ["hard", {}],
  ["soft", {}],
  ["fuzzy", { noiseOn: "hidden" }],
  ["multiplex", {}],
  ["covariance", {}],
  ["neighbours", { rho: 0.5 }],
];
for (const [way, options] of KINDS) {
  Deno.test(`${way}: groups are kept whole, in words and numbers, and the training is the same to the bit`, async () => {
    const on = await learned(way, options, { sampleEvery: 2, sampleGroups: 2, microRows: 70 });
    const off = await learned(way, options, { microRows: 70 });
    assertEquals([on.told, on.embedding], [off.told, off.embedding]);
    assertEquals([on.kept.length, off.kept.length], [2, 0]);
    for (const [i, kept] of on.kept.entries()) {
      const groups = Array.from({ length: 8 }, (_, at) => [at >> 2, at & 3]);
      assertEquals(kept.map(({ group, sample }) => [group, sample]), groups);
      for (const one of kept) {
        assertEquals([one.version, one.step, one.group_size, one.way], [2, i + 1, 4, way]);
        assertEquals(misfitsOf("sample", one), "");
        checkTexts(one);
        checkSteps(one);
      }
      for (const group of Map.groupBy(kept, ({ group }) => group).values()) checkGroup(group);
    }
  });
}

function checkTexts(kept: KeptRollout): void {
  const { thinking, thinking_tokens, answer, answer_tokens, pieces } = kept;
  const said = (ids: number[]) => ids.map((id) => pieces[id]).join("");
  assertEquals(thinking, tokenizer.decode(thinking_tokens, true));
  assert(said(thinking_tokens).endsWith(thinking), `${said(thinking_tokens)}, not ${thinking}`);
  assert(said(answer_tokens).includes(answer), `${said(answer_tokens)}, not ${answer}`);
  assert(kept.forced.endsWith("\\boxed{"), kept.forced);
  assertEquals([kept.correct, kept.reward], [kept.reward === 100, kept.correct ? 100 : 10]);
}

function checkSteps(kept: KeptRollout): void {
  const { thinking_tokens, mixtures, noise, surprise, pieces, way } = kept;
  const steps = thinking_tokens.length;
  assertEquals([kept.thinking_log_probabilities.length, kept.thinking_entropies.length], [steps, steps]);
  assertEquals(kept.answer_log_probabilities.length, kept.answer_tokens.length);
  assertEquals([kept.continuous, mixtures?.length], way === "hard" ? [false, undefined] : [true, steps]);
  assertEquals(noise?.length, way === "soft" || way === "fuzzy" ? steps : undefined);
  assertEquals(surprise?.length, noise || way === "multiplex" ? steps : undefined);
  for (const size of noise ?? []) assert(size > 0.4 && size < 1.7, `noise ${size} of ${steps}`);
  const drawn = thinking_tokens.map((id) => [[id, 1]]);
  for (const [t, tokens] of (mixtures ?? drawn).entries()) {
    const weights = tokens.map(([, weight]) => weight);
    assert(tokens.length >= 1 && tokens.length <= 8, `${tokens.length} tokens`);
    assertEquals(weights, weights.toSorted((a, b) => b - a));
    // Of covariance some are negative.
    assert(way === "covariance" || weights.reduce((sum, one) => sum + one, 0) < 1.001, `${weights}`);
    assert(tokens.every(([id]) => typeof pieces[id] === "string"));
    // What a way mixes besides its own draw is another token's row.
    if (way === "soft" || way === "covariance") assertEquals(tokens[0][0], thinking_tokens[t]);
  }
}

function checkGroup(group: KeptRollout[]): void {
  const rewards = group.map(({ reward }) => reward);
  const equal = rewards.every((reward) => reward === rewards[0]);
  for (const { advantage, reward, equal: told, question, id } of group) {
    assertEquals([told, question, id], [equal, group[0].question, group[0].id]);
    const others = (rewards.reduce((sum, one) => sum + one, 0) - reward) / 3;
    assertAlmostEquals(advantage, (reward - others) / 100, 1e-4);
  }
}

Deno.test("a schema takes lines of older runs, and nothing that it does not name", async () => {
  const old = {
    ...{ step: 10, question: "q", gold: "1", thinking: "t", thinking_end: "limit", answer: " \\boxed{1}" },
    ...{ boxed: "1", reward: 100 },
  };
  assertEquals(misfitsOf("sample", old), "");
  const { kept: [[soft]] } = await learned("soft", {}, { sampleEvery: 1 });
  const { mixtures, ...bare } = soft;
  for (
    const wrong of [
      { ...old, more: 1 },
      { ...soft, more: 1 },
      { ...soft, version: 3 },
      { ...soft, pieces: { a: "b" } },
      { ...soft, mixtures: [...mixtures!, [[1]]] },
      { ...soft, continuous: false },
      bare,
    ]
  ) assert(misfitsOf("sample", wrong) !== "", JSON.stringify(wrong));
});

Deno.test("the questions that followed others are told", async () => {
  const { kept: [first] } = await learned("hard", {}, { sampleEvery: 1, sampleGroups: 9, refill: 3 });
  const groups = [...Map.groupBy(first, ({ group }) => group).values()];
  assertEquals(groups.map(([{ refilled }]) => refilled), groups.map((_, g) => g >= SMALL_TRAINING.questions));
});

Deno.test("rollouts are kept in the first update and every so many", () => {
  const of = (sampleEvery?: number) =>
    [1, 2, 3, 4, 5, 6].filter((step) => isSampled({ ...SMALL_TRAINING, sampleEvery }, step));
  assertEquals([of(3), of(1).length, of(0), of()], [[1, 3, 6], 6, [], []]);
});

Deno.test("a file of samples grows by no more in any hour than it may", () => {
  let clock = 0;
  const budget = createSampleBudget(() => clock);
  const written: [number, number][] = [];
  // A large entry every second, for three hours.
  for (; clock < 3 * 3_600_000; clock += 1000) if (budget.take(180_000)) written.push([clock, 180_000]);
  for (const [from] of written) {
    const hour = written.filter(([at]) => at >= from && at < from + 3_600_000);
    const bytes = hour.reduce((sum, [, size]) => sum + size, 0);
    assert(bytes <= MOST_AN_HOUR, `${bytes} bytes in the hour from ${from}`);
  }
  const total = written.reduce((sum, [, size]) => sum + size, 0);
  assert(total > 1.9 * MOST_AN_HOUR, `${total} bytes in three hours: that is too few`);
  // One that is larger than all that may be written at once is written, and then nothing for long.
  clock += 3_600_000;
  assertEquals([budget.take(2 * MOST_AN_HOUR), budget.take(1)], [true, false]);
  clock += 3.9 * 3_600_000;
  assertEquals(budget.take(25_000_000), false);
  clock += 0.2 * 3_600_000;
  assertEquals(budget.take(25_000_000), true);
});

Deno.test("where there is no room for all groups, the first are written whole", async () => {
  const { kept: [kept] } = await learned("soft", {}, { sampleEvery: 1, sampleGroups: 3 });
  const lines: Record<string, unknown>[] = [];
  const run = {
    folder: "",
    appendMetrics() {},
    appendSample: (line: KeptRollout) => void lines.push({ ...line }),
    close() {},
  };
  let room = 2;
  keepSamples(run as unknown as Parameters<typeof keepSamples>[0], kept, { take: () => room-- > 0 });
  assertEquals(
    lines.map(({ group, sample }) => [group, sample]),
    kept.slice(0, 8).map(({ group, sample }) => [group, sample]),
  );
  assertEquals(lines.length, 8);
});
