/**
 * The real update, rollouts of more than 64 steps in micro-batches and with a vocabulary that the head takes in chunks of 64
 * rows, against one pass in plain f64 over all its rollouts, with advantages taken by hand.
 */
import { assert, assertEquals } from "@std/assert";
import { sums } from "../../eval/tasks/sums.ts";
import type { Task } from "../../eval/task.ts";
import { Domain } from "../../gpu/random.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { headChunkRows } from "../../model/transformer/head.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { learnedParts, scoredGroups } from "../../rl/policy_gradient.ts";
import type { RolloutBatch, RolloutSource } from "../../rl/rollout_source.ts";
import { trainStep } from "../../rl/train_step.ts";
import { openTestGpu } from "../gpu/support.ts";
import { tokenizer, USED } from "../model/support/small_models.ts";
import { policyLoss, type RecordedRollout } from "../reference/policy_loss.ts";
import { noiseRow } from "../reference/random.ts";
import type { Weights } from "../reference/transformer.ts";
import { localTrainer } from "./support/local_trainer.ts";
import { downloadNamed, gradientError } from "./support/named_weights.ts";
import { freeTrainer } from "./support/small_trainer.ts";
import { tinyModel } from "./support/tiny_model.ts";
import { trainSettings } from "./support/train_settings.ts";

const VOCABULARY = 50_000;
const SHAPE = { vocabSize: VOCABULARY, hiddenSize: 16, maxPosition: 320, eosTokenIds: [] };
const SEED = 5;
const [QUESTIONS, GROUP, STEPS] = [3, 8, 3];
/** Longer than a chunk of the head, and than a micro-batch. */
const THOUGHTS = 72;
/** So many of some rollouts together are longer than a chunk, too. */
const ANSWERS = 24;
const SAME = "the same for all";

/** Every third question teaches nothing; the others earn 0, 10 and 100. */
const TASK: Task = {
  ...sums,
  checking: undefined,
  question: (stream, seed, index) => {
    const question = sums.question(stream, seed, index);
    return index % QUESTIONS === 1 ? { ...question, gold: SAME } : question;
  },
  grade: (gold, text) => {
    const letters = [...text].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0);
    const reward = gold === SAME ? 10 as const : ([0, 10, 100] as const)[letters % 3];
    return { reward, correct: reward === 100, answer: text, rule: null };
  },
};

const t = await openTestGpu({ maxBinding: 4 * VOCABULARY * 64 });
const { gpu } = t;

// Every rollout in a micro-batch of its own, longer than it may be; and several together, which chunks of the head divide.
const CASES = [
  { thinking: hardThinking(1), microRows: 64, least: 12 },
  { thinking: gaussianThinking("soft", 0.5, 0.02), microRows: 500, least: 4 },
];

for (const { thinking, microRows, least } of CASES) {
  Deno.test(`${thinking.name}: an update in micro-batches of ${microRows} rows and in chunks has the gradient of one pass over all rollouts`, async () => {
    const model = tinyModel(gpu, SHAPE);
    const rules = thinkingRules(tokenizer, { maxThinking: THOUGHTS, maxAnswer: ANSWERS, endTokenIds: [] });
    const settings = trainSettings({
      ...{ questions: QUESTIONS, group: GROUP, steps: STEPS, seed: SEED, lr: 1e-2, microRows },
    });
    const trainer = localTrainer({ model, tokenizer, task: TASK, thinking, rules, settings });
    const thoughts = keepThoughts(trainer.source, thinking);
    assertEquals(headChunkRows(model), 64);
    for (let step = 1; step <= STEPS; step++) {
      const weights = small(await downloadNamed(gpu, model.config, model.params));
      const { batch } = await trainStep({ ...trainer, source: thoughts.source }, step);
      assertOrder(batch, step);
      const parts = learnedParts(scoredGroups(batch, settings), settings.microRows);
      assert(parts.length >= least && parts.length < 3 * least, `${parts.length} micro-batches`);
      const longest = Math.max(
        ...batch.groups.flatMap(({ rollouts }) => rollouts.map(({ rollout }) => rollout.thinking.length)),
      );
      assert(longest > 64, `at most ${longest} thoughts: one chunk of the head`);
      const found = await downloadNamed(gpu, model.config, trainer.grads);
      const padding = found.get("model.embed_tokens.weight")!.subarray(USED * SHAPE.hiddenSize);
      assert(padding.every((value) => value === 0), "the gradient of padding is 0");
      const rollouts = recorded(batch, step, thoughts.rows(), model.config);
      const { gradients } = policyLoss(smallShape(model.config), weights, {
        ...{ mode: thinking.continuous ? "soft" : "hard", tau: thinking.continuous ? 0.5 : 1, sigma: 0.02 },
        rollouts,
      });
      const error = gradientError(small(found), gradients);
      assert(error < 1e-9, `step ${step}: normalised error ${error}`);
    }
    freeTrainer(trainer);
    freeModel(model);
  });
}

/** The source, and the rows that its last rollouts fed: they are gone with the update. */
function keepThoughts(source: RolloutSource, { continuous }: Thinking) {
  let rows = new Float32Array(0);
  const keeping: RolloutSource = {
    async rollouts(...asked) {
      const batch = await source.rollouts(...asked);
      if (continuous) rows = new Float32Array(await gpu.reader.read(batch.hidden));
      return batch;
    },
  };
  return { source: keeping, rows: () => rows };
}

/** Update s has the questions from (s - 1) B on. */
function assertOrder({ groups }: RolloutBatch, step: number): void {
  assertEquals(
    groups.map(({ question }) => question),
    Array.from({ length: QUESTIONS }, (_, b) => TASK.question("train", SEED, (step - 1) * QUESTIONS + b)),
  );
  const rewards = groups.map(({ rollouts }) => new Set(rollouts.map(({ reward }) => reward)).size);
  assert(rewards[1] === 1 && rewards[0] > 1 && rewards[2] > 1, `${rewards} kinds of rewards`);
}

/** What the reference takes: advantages from rewards, noise by its address, in f64. */
function recorded(
  { groups }: RolloutBatch,
  step: number,
  rows: Float32Array,
  { hiddenSize: d }: ModelConfig,
): RecordedRollout[] {
  return groups.flatMap(({ prompt, rollouts }, b) =>
    rollouts.map(({ rollout, reward }, g): RecordedRollout => {
      const others = rollouts.filter((_, i) => i !== g).map((other) => other.reward);
      const mean = others.reduce((sum, other) => sum + other, 0) / others.length;
      const { thinking, forced, answer } = rollout;
      const n = b * GROUP + g;
      const noise = thinking.flatMap((_, t) => [
        ...noiseRow({ seed: SEED, domain: Domain.noise, position: prompt.length + t, rollout: n, step }, d),
      ]);
      const soft = rows.length === 0 ? {} : {
        noise: Float64Array.from(noise),
        thoughts: Float64Array.from(rows.subarray(n * THOUGHTS * d, (n * THOUGHTS + thinking.length) * d)),
      };
      const advantage = (reward - mean) / 100;
      return { question: b, prompt, thinking, forced: [...forced], answer, advantage, ...soft };
    })
  );
}

/** Without the padding of the vocabulary, which no token ever is. */
const smallShape = (config: ModelConfig): ModelConfig => ({ ...config, vocabSize: USED });

function small(tensors: ReadonlyMap<string, Float32Array>): Weights {
  const shorter = (name: string, data: Float32Array) =>
    name === "model.embed_tokens.weight" ? data.subarray(0, USED * SHAPE.hiddenSize) : data;
  return new Map([...tensors].map(([name, data]) => [name, Float64Array.from(shorter(name, data))]));
}
