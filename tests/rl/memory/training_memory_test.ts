import { assert, assertEquals } from "@std/assert";
import { dryThinking } from "../../../model/memory/generation_memory.ts";
import { type Way, wayOfThinking } from "../../../model/thinking/ways.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { addAdapter } from "../../../model/transformer/adapter.ts";
import { countWeights, loraCounts } from "../../../model/memory/count_weights.ts";
import { createBehind } from "../../../rl/behind.ts";
import { diagnosisOf, type Trainer } from "../../../rl/trainer.ts";
import { trainStep } from "../../../rl/train_step.ts";
import { reserveTraining } from "../../../rl/memory/reserve_training.ts";
import { trainingNeed } from "../../../rl/memory/training_need.ts";
import type { TrainingShape } from "../../../rl/memory/training_shape.ts";
import { sumsPrompts } from "../../../cli/bench/sums_prompts.ts";
import { randomModel, SMALL, tokenizer } from "../../model/support/small_models.ts";
import { localTrainer } from "../support/local_trainer.ts";
import { longestTrainer, type LongestTraining } from "../support/longest_trainer.ts";
import { trainSettings } from "../support/train_settings.ts";

const SHAPE = { ...SMALL, layers: 3, hiddenSize: 96, heads: 6, kvHeads: 3, intermediateSize: 256 };
const LENGTHS = { questions: 3, group: 6, maxThinking: 24, answerTokens: 4 };

/** The same trainer with what diagnosing takes. */
const diagnosed = (trainer: Trainer, diagnoseEvery: number): Trainer => ({
  ...trainer,
  settings: { ...trainer.settings, diagnoseEvery },
  diagnosis: diagnosisOf(
    trainer.model,
    trainer.model.adapter ? undefined : randomModel(trainer.model.gpu, SHAPE),
  ),
});

const TRAININGS: [
  kind: Way,
  rank: number | undefined,
  recompute: boolean,
  microRows: number,
  more: Pick<LongestTraining, "noiseOn" | "refill" | "entropyBonus" | "staleness"> & {
    diagnoseEvery?: number;
    sampleEvery?: number;
  },
][] = [
  ["soft", undefined, false, 8192, { sampleEvery: 1 }],
  ["hard", undefined, false, 200, {}],
  ["soft", undefined, true, 200, {}],
  ["soft", undefined, true, 200, { diagnoseEvery: 2 }],
  ["soft", 8, false, 200, {}],
  ["hard", 8, true, 8192, { diagnoseEvery: 1 }],
  ["multiplex", undefined, false, 8192, {}],
  ["covariance", undefined, true, 200, { sampleEvery: 2 }],
  ["neighbours", undefined, false, 8192, {}],
  ["soft", undefined, false, 8192, { noiseOn: "logits" }],
  ["soft", undefined, true, 200, { noiseOn: "hidden" }],
  ["fuzzy", 8, false, 200, { noiseOn: "top-logits" }],
  ["gumbel", 8, false, 200, { refill: 2 }],
  ["soft", 8, true, 200, { refill: 3 }],
  ["dirichlet", undefined, false, 8192, { refill: 1, entropyBonus: 0.1 }],
  ["neighbours", 8, true, 200, { refill: 1, diagnoseEvery: 2 }],
  ["hard", 8, true, 200, { entropyBonus: 0.1, staleness: 1 }],
  ["soft", undefined, false, 8192, { staleness: 2 }],
];
for (const [kind, rank, recompute, microRows, more] of TRAININGS) {
  const options = Object.entries(more).map(([name, value]) => `, ${name} ${value}`).join("");
  const kept = recompute ? "recomputed" : "kept";
  const what = `${kind}, ${rank ? "LoRA" : "full"}, ${kept}, ${microRows} rows${options}`;
  Deno.test(`training holds what was forecast: ${what}`, async () => {
    const gpu = await openGpu();
    const model = randomModel(gpu, SHAPE);
    if (rank) addAdapter(model, { rank, alpha: 32 }, 0);
    const { diagnoseEvery = 0, sampleEvery, ...beside } = more;
    const plain = longestTrainer({ model, tokenizer }, { kind, ...LENGTHS, microRows, recompute, ...beside });
    const trainer = diagnoseEvery ? diagnosed(plain, diagnoseEvery) : plain;
    trainer.settings = { ...trainer.settings, sampleEvery };
    for (let step = 1; step <= 3; step++) await trainStep(trainer, step);
    const held = gpu.arena.peakBytes;
    const prompts = sumsPrompts(tokenizer, LENGTHS.questions);
    const { total } = await trainingNeed(SHAPE, {
      ...{ ...LENGTHS, microRows, recompute, rank, diagnoseEvery, sampleEvery, ...beside },
      thinking: dryThinking(kind, beside),
      promptTokens: Math.max(...prompts.map(({ length }) => length)),
      forcedTokens: trainer.rules.forcedIds.triggerAndBox.length,
    }, { facts: gpu });
    gpu.close();
    const ratio = total / held;
    assert(ratio > 0.9 && ratio < 1.1, `${total} bytes forecast, ${held} held: ${ratio}`);
  });
}

for (const [kind, diagnoseEvery, staleness] of [["hard", 0, 0], ["soft", 0, 0], ["soft", 2, 1]] as const) {
  Deno.test(`${kind}${diagnoseEvery ? ", diagnosed, by older weights" : ""}: what is reserved suffices: steps of all lengths take no more, and learn the same to the bit`, async () => {
    const gpu = await openGpu();
    const endTokenIds = Array.from({ length: 8 }, (_, i) => 9 * i);
    const { questions, group } = LENGTHS;
    const rules = thinkingRules(tokenizer, { maxThinking: 40, maxAnswer: 4, endTokenIds });
    const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.1, embeddingRms: 0.1 });
    const score = ({ text }: { text: string }) => text.length % 5;
    const rewards = [{ name: "length", weight: 1, score }];
    const settings = trainSettings({ questions, group, lr: 1e-3, microRows: 300, sampleEvery: 2, staleness });
    const learn = async (reserves: boolean) => {
      const model = randomModel(gpu, SHAPE);
      const behind = createBehind(model, staleness);
      const plain = localTrainer({
        model,
        behind,
        tokenizer,
        task: sums,
        thinking,
        rules,
        rewards,
        settings,
      });
      const trainer = diagnoseEvery ? diagnosed(plain, diagnoseEvery) : plain;
      if (reserves) await reserveTraining(trainer);
      const { bytes } = gpu.arena;
      const lengths: number[] = [];
      for (let step = 1; step <= 5; step++) {
        lengths.push((await trainStep(trainer, step)).metrics.thinking_tokens);
        // Strides in which some think and others answer want a few words more, and no more than that.
        if (reserves) {
          assert(gpu.arena.bytes - bytes < 2048, `step ${step}: ${gpu.arena.bytes} bytes, ${bytes} reserved`);
        }
      }
      assert(new Set(lengths).size > 3, `${lengths}`);
      return { lengths, embedding: await downloadMatrix(gpu, model.params.embedding) };
    };
    assertEquals(await learn(true), await learn(false));
    gpu.close();
  });
}

const SOME = {
  ...LENGTHS,
  promptTokens: 20,
  microRows: 8192,
  recompute: false,
  thinking: dryThinking("soft"),
};

Deno.test("what is held throughout is told apart: weights, gradients, moments, an adapter, a copy in f16, older weights", async () => {
  const full = await trainingNeed(SHAPE, SOME);
  const weights = 4 * countWeights(SHAPE);
  const table = 4 * (SHAPE.maxPosition + 4) * SHAPE.headDim;
  const near = (bytes: number, expected: number) =>
    assert(bytes >= expected && bytes < expected + 4096, `${bytes}, not ${expected}`);
  near(full.state, 4 * weights + table);
  const { trained, blocks } = loraCounts(SHAPE, 8);
  near((await trainingNeed(SHAPE, { ...SOME, rank: 8 })).state, weights + 16 * trained + 4 * blocks + table);
  // A second gradient; in a full training the model that it began from, too.
  near((await trainingNeed(SHAPE, { ...SOME, diagnoseEvery: 5 })).state, 6 * weights + 2 * table);
  // The weights of two updates; of an adapter with the blocks that rollouts are made with.
  near((await trainingNeed(SHAPE, { ...SOME, staleness: 2 })).state, 6 * weights + table);
  const older = await trainingNeed(SHAPE, { ...SOME, rank: 8, staleness: 1 });
  near(older.state, weights + 20 * trained + 8 * blocks + table);
  const adapter = await trainingNeed(SHAPE, { ...SOME, rank: 8, diagnoseEvery: 5 });
  near(adapter.state, weights + 20 * trained + 4 * blocks + table);
  const copied = await trainingNeed(SHAPE, { ...SOME, rolloutWeights: "f16" });
  // Panels of 64 rows and 32 columns are whole.
  const share = (copied.state - full.state) / weights;
  assert(share > 0.49 && share < 0.57, `${share} of the weights`);
});

Deno.test("more rollouts, rows and length take more; recomputing and smaller micro-batches less", async () => {
  const { total } = await trainingNeed(SHAPE, SOME);
  const need = async (more: Partial<TrainingShape>) =>
    (await trainingNeed(SHAPE, { ...SOME, ...more })).total;
  assert(await need({ group: 12 }) > 1.3 * total);
  assert(await need({ maxThinking: 48 }) > 1.3 * total);
  assert(await need({ refill: 8 }) > 1.1 * total);
  assert(await need({ entropyBonus: 0.1 }) > total);
  assert(await need({ recompute: true }) < 0.9 * total);
  assert(await need({ microRows: 200 }) < 0.9 * total);
});

Deno.test("tests between updates count as far as they hold more than the updates", async () => {
  const tests = { questions: 4, samples: 1, atOnce: 256, thinking: [dryThinking("soft")] };
  const without = await trainingNeed(SHAPE, SOME);
  assertEquals(await trainingNeed(SHAPE, { ...SOME, tests }), without);
  const many = await trainingNeed(SHAPE, { ...SOME, tests: { ...tests, questions: 2000 } });
  assert(many.total > without.total);
  assertEquals(
    await trainingNeed(SHAPE, { ...SOME, tests: { ...tests, questions: 3000 } }),
    many,
    "256 at once at most",
  );
});
