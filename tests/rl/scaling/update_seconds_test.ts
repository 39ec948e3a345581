/** The model of an update's seconds against sums that were made by hand, and the known shapes against the sizes that their makers state. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { countWeights } from "../../../model/memory/count_weights.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { KNOWN_SHAPES } from "../../../model/transformer/known_shapes.ts";
import { sliceOf } from "../../../rl/cluster/add_up.ts";
import { BUCKET } from "../../../rl/cluster/buckets.ts";
import {
  bytesOfStep,
  questionWork,
  type ScaledTraining,
  stepsOf,
  trainedCount,
} from "../../../rl/scaling/question_work.ts";
import { CARD_SHEETS, type Rates, ratesOfCard } from "../../../rl/scaling/rates.ts";
import {
  type Cluster,
  dispatchesOf,
  mostThatPay,
  optimizerSeconds,
  rolloutSeconds,
  speedUps,
  spreadSeconds,
  sumSeconds,
  updateSeconds,
} from "../../../rl/scaling/update_seconds.ts";

const CONFIG: ModelConfig = {
  ...KNOWN_SHAPES["SmolLM2-135M"],
  ...{ layers: 2, hiddenSize: 4, heads: 2, kvHeads: 1, headDim: 2, intermediateSize: 8 },
  ...{ vocabSize: 16, usedVocabSize: 16 },
};

const TRAINING: ScaledTraining = {
  ...{ config: CONFIG, group: 2, prompt: 3, thinking: 5, forced: 2, answer: 2 },
  ...{ mixes: true, continuous: true, weightBytes: 4, recompute: false },
};

/** Where a second is a round number of each. */
const RATES: Rates = {
  ...{ update: 26432, rollout: 9024, memory: 872, dispatch: 0.1, copy: 2000, add: 500, link: 1000 },
  ...{ message: 0.25, save: 1488, fetch: 744, load: 1488, queue: 4822 },
};

const CLUSTER: Cluster = {
  ...{ learners: 1, workers: 0, workersOnly: false, questions: 4, shardOptimizer: false },
  slots: { learner: 4, worker: 8 },
};

Deno.test("the known shapes have as many parameters as the models that they are of", () => {
  const counts = Object.fromEntries(
    Object.entries(KNOWN_SHAPES).map(([name, config]) => [name, countWeights(config)]),
  );
  assertEquals(counts, {
    "SmolLM2-135M": 134_515_008,
    "Llama-3.2-1B": 1_235_814_400,
    "Llama-3.2-3B": 3_212_749_824,
    "Llama-3.1-8B": 8_030_261_248,
    "Qwen2.5-0.5B": 494_032_768,
    "Qwen2.5-1.5B": 1_543_714_304,
    "Qwen2.5-3B": 3_085_938_688,
    "Qwen2.5-7B": 7_615_616_512,
    "Qwen3-0.6B": 596_049_920,
    "Qwen3-1.7B": 1_720_574_976,
    "Qwen3-4B": 4_022_468_096,
    "Qwen3-8B": 8_190_735_360,
  });
});

Deno.test("the work of a question is counted as by hand", () => {
  // A row of the blocks: 2 x 2 x 4 x (8 + 4 + 24) = 576; of the head 2 x 16 x 4 = 128; a key 4 x 2 x 2 x 2 = 32.
  const prompt = 3 * 576 + 32 * (1 + 2 + 3);
  const rows = 8 * 576;
  const keys = 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11;
  assertEquals(stepsOf(TRAINING), 5 + 2 + 1);
  assertEquals(questionWork(TRAINING), {
    rolloutFlops: prompt + 2 * (rows + 32 * keys + 128 * (2 * 5 + 2)),
    updateFlops: 3 * prompt + 2 * 3 * (rows + 32 * keys + 128 * (5 + 2)) + 2 * 2 * 128 * 5,
    // Two layers of a key and a value of 2 numbers.
    kvBytes: 2 * keys * (2 * 2 * 2 * 4),
    // A head, then of each rollout 120 bytes, 23 a token, and 5 rows of 4 numbers.
    resultBytes: 4 + 4096 + 2 * (120 + 7 * (11 + 12)) + 4 * 2 * 5 * 4,
  });
  assertEquals(questionWork(TRAINING).rolloutFlops, 18048);
  assertEquals(questionWork(TRAINING).updateFlops, 52864);
});

Deno.test("what is trained, and what a step reads", () => {
  // 2 x (32 + 16 + 96 + 8) + 4 + 64
  assertEquals(trainedCount(TRAINING), 372);
  // An adapter: inputs and outputs of seven matrices of both layers, by 3.
  assertEquals(trainedCount({ config: CONFIG, rank: 3 }), 3 * 2 * ((4 + 4) + 2 * (4 + 2) + (4 + 4) + 3 * 12));
  assertEquals(bytesOfStep(TRAINING), 4 * (372 + 64), "the head and the mixture read the embedding");
  assertEquals(bytesOfStep({ ...TRAINING, mixes: false, weightBytes: 2 }), 2 * 372);
  const untied = { ...CONFIG, tied: false };
  assertEquals(bytesOfStep({ config: untied, mixes: true, weightBytes: 4 }), 4 * (372 + 64));
  assertEquals(bytesOfStep({ config: untied, mixes: false, weightBytes: 4 }), 4 * 372);
  assertEquals(dispatchesOf(TRAINING), 15);
  assertEquals(dispatchesOf({ ...TRAINING, rank: 3 }), 23);
});

Deno.test("rollouts: steps cost what they cost with none, in as many waves as there are slots for, and each its own", () => {
  const work = { rolloutFlops: 2 * 2 * 9024, kvBytes: 2 * 2 * 872 };
  // A step: 15 x 0.1 + 1744 / 872 = 3.5; three waves of 8; each rollout 2 + 2.
  assertAlmostEquals(rolloutSeconds(TRAINING, work, 10, 4, RATES), 3 * 8 * 3.5 + 10 * 4);
  assertAlmostEquals(rolloutSeconds(TRAINING, work, 10, Infinity, RATES), 8 * 3.5 * 1 + 10 * 4);
});

Deno.test("sums, spreading and the optimizer", () => {
  // 2 x 4000 / 2000 + 3000 (2 / 1000 + 1 / 500) + 2 x 3 messages
  assertAlmostEquals(sumSeconds(1000, 4, RATES), 4 + 12 + 1.5);
  assertAlmostEquals(spreadSeconds(1000, 4, RATES), 2 + 3 + 0.75);
  assertEquals([sumSeconds(1000, 1, RATES), spreadSeconds(1000, 1, RATES)], [0, 0]);
  const only = { ...RATES, copy: Infinity, link: Infinity, add: Infinity };
  const slice = sliceOf(3, BUCKET);
  assertAlmostEquals(sumSeconds(slice, 3, only), 4 * 0.25);
  assertAlmostEquals(sumSeconds(slice + 1, 3, only), 8 * 0.25);
  assertAlmostEquals(optimizerSeconds(872, 1, RATES), 4 * 9);
  assertAlmostEquals(optimizerSeconds(872, 7, RATES), 4 * 3);
});

Deno.test("an update is the sum of its parts, the largest share its learners'", () => {
  const work = questionWork(TRAINING);
  const one = updateSeconds(TRAINING, work, CLUSTER, RATES);
  assertAlmostEquals(one.rollout, rolloutSeconds(TRAINING, work, 8, 4, RATES));
  assertAlmostEquals(one.passes, 4 * 2);
  assertEquals([one.sum, one.spread, one.weights], [0, 0, 0]);
  assertAlmostEquals(one.total, one.rollout + one.passes + one.optimizer);
  const three = updateSeconds(TRAINING, work, { ...CLUSTER, learners: 3, shardOptimizer: true }, RATES);
  assertAlmostEquals(three.rollout, rolloutSeconds(TRAINING, work, 4, 4, RATES));
  assertAlmostEquals(three.passes, 2 * 2);
  assertAlmostEquals(three.optimizer, optimizerSeconds(372, 3, RATES));
  assertAlmostEquals(three.sum, sumSeconds(372, 3, RATES));
  assertAlmostEquals(three.spread, spreadSeconds(372, 3, RATES));
  const { passes } = updateSeconds({ ...TRAINING, recompute: true }, work, CLUSTER, RATES);
  assertAlmostEquals(passes, 4 * 2 * 4 / 3);
});

Deno.test("workers: weights are saved, fetched and loaded before their parts, results sent after", () => {
  const work = questionWork(TRAINING);
  const of = (rollouts: number, slots: number) => rolloutSeconds(TRAINING, work, rollouts, slots, RATES);
  // 1,488 bytes: a second to be saved, two to be fetched, one to be loaded. A rollout's result takes half a second.
  const one = updateSeconds(TRAINING, work, { ...CLUSTER, workers: 1 }, RATES);
  assertAlmostEquals(one.weights, 1 + 2 + 1);
  assertAlmostEquals(one.rollout, 1 + (2 + 1 + of(4, 8) + 4 * 0.5));
  const quick = { ...RATES, fetch: 1e9, load: 1e9, queue: 1e9 };
  // Two waves here, where a worker has one.
  const { rollout } = updateSeconds(TRAINING, work, {
    ...CLUSTER,
    workers: 1,
    slots: { learner: 2, worker: 8 },
  }, quick);
  assertAlmostEquals(rollout, 1 + of(4, 2), 1e-4);
  // Four rollouts of each learner in four parts; three workers fetch from two learners, and make a part of each.
  const more = updateSeconds(TRAINING, work, { ...CLUSTER, learners: 2, workers: 3 }, RATES);
  assertAlmostEquals(more.rollout, 1 + (2 * 2 + 1 + 2 * of(1, 8) + 6 * 0.5));
  const alone = updateSeconds(TRAINING, work, { ...CLUSTER, workers: 2, workersOnly: true }, RATES);
  assertAlmostEquals(alone.rollout, 1 + (2 * 2 + 1 + of(4, 8) + 8 * 0.5));
});

Deno.test("where adding learners stops paying", () => {
  // T(n) = 12 / n + 1: by learner 13 / (12 + n).
  const all = speedUps((n) => 12 / n + 1, 16);
  assertEquals(all.length, 16);
  assertAlmostEquals(all[3].speedUp, 13 / 4);
  assertAlmostEquals(all[3].each, 13 / 16);
  assertEquals(mostThatPay(all, 0.6), 9);
  assertEquals(mostThatPay(all, 0.1), 16);
  assertEquals(mostThatPay(speedUps((n) => n, 4), 0.5), 1);
});

Deno.test("a card's rates are what is assumed of its data sheet", () => {
  const rates = ratesOfCard(CARD_SHEETS.h100, { share: 0.5, memoryShare: 0.1, link: 1e6 });
  assertEquals([rates.update, rates.rollout, rates.memory], [33.5e12, 33.5e12, 0.335e12]);
  assertEquals([rates.link, rates.fetch], [1e6, 1e6], "nothing is fetched faster than by the link");
});
