/** Sharing a prompt, splitting into micro-batches and recomputing blocks are ways to save: the gradient is the same. */
import { assert, assertEquals } from "@std/assert";
import { createParams, freeParams, zeroParams } from "../../model/transformer/params.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { microBatches } from "../../rl/micro_batches.ts";
import { accumulateGradient, type ActionRecord } from "../../rl/objective.ts";
import { inputRows, type ScoredGroup } from "../../rl/packed_batch.ts";
import { assertSameBits, openTestGpu, random32 } from "../gpu/support.ts";
import { randomIntegers } from "../reference/support.ts";
import { downloadNamed, gradientError } from "./support/named_weights.ts";
import { tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();

const WAYS: Thinking[] = [
  hardThinking(1),
  gaussianThinking("soft", 0.5, 0.02),
  gaussianThinking("fuzzy", 1e-4, 0.02),
];
const STEPS = 7;
// (thinking, forced, answer) tokens of each rollout; a prompt of one token, one rollout that did not think.
const GROUPS = [
  { prompt: 19, rollouts: [[5, 3, 2], [7, 1, 1], [1, 3, 4], [3, 2, 2], [7, 3, 1]] },
  { prompt: 1, rollouts: [[2, 1, 1], [6, 3, 3]] },
  { prompt: 11, rollouts: [[4, 3, 2], [0, 2, 2], [5, 3, 1]] },
];

function groupsOf(vocabulary: number): ScoredGroup[] {
  let seed = 100;
  let index = 0;
  const tokens = (count: number) => [...randomIntegers(seed++, count, vocabulary)];
  return GROUPS.map(({ prompt, rollouts }) => ({
    prompt: tokens(prompt),
    rollouts: rollouts.map(([thinking, forced, answer]) => ({
      id: index,
      index: index++,
      thinking: tokens(thinking),
      forced: tokens(forced),
      answer: tokens(answer),
      advantage: random32(seed++, 1)[0],
    })),
  }));
}

/** The gradient of some groups in the given micro-batches, and the actions' numbers in the order of the rollouts. */
async function gradientOf(
  { thinking, recompute = false, tied = true }: { thinking: Thinking; recompute?: boolean; tied?: boolean },
  partsOf: (groups: ScoredGroup[]) => ScoredGroup[][],
) {
  const { gpu } = t;
  const model = tinyModel(gpu, { tied });
  const groups = groupsOf(model.config.usedVocabSize);
  const count = groups.flatMap((group) => group.rollouts).length;
  const d = model.config.hiddenSize;
  const hidden = thinking.continuous
    ? t.f32(random32(7, count * STEPS * d, 0.05), [count, STEPS, d])
    : t.zeros(1, 1, d);
  const grads = createParams(gpu, model.config, "f32", "gradient");
  zeroParams(gpu, grads);
  const records: ActionRecord[] = [];
  for (const part of partsOf(groups)) {
    const fetch = accumulateGradient(model, grads, part, {
      thinking,
      hidden,
      scale: 1 / count,
      seed: 3,
      step: 9,
      clipStep: 0,
      thinkingWeight: 1,
      recompute,
    });
    records.push(await fetch());
  }
  const gradients = await downloadNamed(gpu, model.config, grads);
  freeParams(gpu, grads);
  freeModel(model);
  const join = (pick: (record: ActionRecord) => Float32Array) =>
    Float32Array.from(records.flatMap((record) => [...pick(record)]));
  return {
    gradients,
    thinking: join((record) => record.thinking),
    thinkingStats: join((record) => record.thinkingStats),
    answer: join((record) => record.answer),
  };
}

type Result = Awaited<ReturnType<typeof gradientOf>>;

/** Sums in another order, but every action's own numbers are made by row-invariant kernels. */
function assertSameGradient(what: string, result: Result, expected: Result) {
  const error = gradientError(result.gradients, expected.gradients);
  assert(error < 1e-9, `${what}: normalised error ${error}`);
  for (const part of ["thinking", "answer"] as const) {
    assertSameBits(`${what}, ${part}`, result[part], expected[part]);
  }
  const gaps = ({ thinkingStats }: Result) => thinkingStats.filter((_, i) => i % 4 === 1 || i % 4 === 2);
  assertSameBits(`${what}, gaps and shadows`, gaps(result), gaps(expected));
}

const whole = (groups: ScoredGroup[]) => [groups];

for (const thinking of WAYS) {
  Deno.test(`${thinking.name}: a shared prompt's gradient is that of a copy for each rollout`, async () => {
    for (const tied of [true, false]) {
      const shared = await gradientOf({ thinking, tied }, whole);
      const copies = await gradientOf({ thinking, tied }, (groups) => [
        groups.flatMap(({ prompt, rollouts }) =>
          rollouts.map((rollout) => ({ prompt, rollouts: [rollout] }))
        ),
      ]);
      assertSameGradient(`tied ${tied}`, copies, shared);
      const size = [...shared.gradients.values()].flatMap((g) => [...g]).reduce((sum, x) => sum + x * x, 0);
      assert(size > 1e-6 && Number.isFinite(size), `the gradient is ${size}: nothing was compared`);
    }
  });

  Deno.test(`${thinking.name}: micro-batches of any size add up to the same gradient`, async () => {
    const once = await gradientOf({ thinking }, whole);
    let most = 0;
    for (const rows of [1, 40, 64]) {
      const result = await gradientOf({ thinking }, (groups) => {
        const parts = microBatches(groups, rows);
        most = Math.max(most, parts.length);
        return parts;
      });
      assertSameGradient(`${rows} rows`, result, once);
    }
    assertEquals(most, GROUPS.flatMap(({ rollouts }) => rollouts).length, "one rollout a part at the least");
  });

  Deno.test(`${thinking.name}: recomputing blocks gives the same bits`, async () => {
    const kept = await gradientOf({ thinking, recompute: false }, whole);
    const again = await gradientOf({ thinking, recompute: true }, whole);
    for (const [name, gradient] of kept.gradients) assertSameBits(name, again.gradients.get(name)!, gradient);
    for (const part of ["thinking", "thinkingStats", "answer"] as const) {
      assertSameBits(part, again[part], kept[part]);
    }
  });
}

Deno.test("rows of a rollout are its tokens without the last one of the answer", () => {
  const rollouts = groupsOf(75)[0].rollouts;
  assertEquals(rollouts.map(inputRows), [5 + 3 + 1, 7 + 1, 1 + 3 + 3, 3 + 2 + 1, 7 + 3]);
});
