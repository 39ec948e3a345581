import type { Question } from "../../eval/task.ts";
import { generate, roomForFed } from "../../model/generation/generate.ts";
import type { Rollout, StepStats } from "../../model/generation/rollout.ts";
import { DRY_TOKENIZER, dryRules } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { RolloutBatch, RolloutSource } from "../rollout_source.ts";
import { trainStep } from "../train_step.ts";
import type { Trainer } from "../trainer.ts";
import type { TrainingShape } from "./training_shape.ts";

const OPTIMIZER = {
  lr: 0,
  warmup: 0,
  steps: 1,
  finalLr: 0,
  beta1: 0,
  beta2: 0,
  eps: 1,
  weightDecay: 0,
  clip: 1,
};

// The second step finds the buffers of the first in another order than that did; the third differs in its lengths.
const STEPS = 3;

/** Runs as many steps as there are buffers to be found out about. */
export async function trainDry(trainer: Trainer): Promise<void> {
  for (let step = 1; step <= STEPS; step++) await trainStep(trainer, step);
}

/** A trainer that draws and learns nothing, on a dry device. */
export function dryTrainer(
  { model, rolloutModel, shape, grads, optimizer, diagnosis, behind }:
    & Pick<Trainer, "model" | "grads" | "optimizer" | "diagnosis" | "behind">
    & {
      rolloutModel: Model;
      shape: TrainingShape;
    },
): Trainer {
  const { thinking, questions, group, microRows, recompute, refill, entropyBonus, sampleGroups } = shape;
  return {
    ...{ model, thinking, grads, optimizer, diagnosis, behind },
    tokenizer: DRY_TOKENIZER,
    task: {
      question: (_stream: string, _seed: number, index: number): Question => ({
        ...{ id: `${index}`, question: "", gold: "" },
      }),
    } as unknown as Trainer["task"],
    rules: dryRules(shape),
    settings: {
      ...{ questions, group, seed: 0, clipStep: 0, thinkingWeight: 1, recompute, microRows },
      ...{ refill, entropyBonus, diagnoseEvery: 1, staleness: behind?.models.length },
      ...{ sampleEvery: shape.sampleEvery ? 1 : 0, sampleGroups },
      ...OPTIMIZER,
    },
    source: dryRollouts(rolloutModel, shape),
  };
}

/**
 * Generates dry, and then says how long the rollouts were: as {@link lengthsOf} has it. Only the last rollouts that an update may draw differ
 * in their rewards, so that as many are drawn as may be, and all that can be is learned from.
 */
function dryRollouts(model: Model, shape: TrainingShape): RolloutSource {
  const { thinking, promptTokens, group, refill = 0 } = shape;
  const { usedVocabSize } = model.config;
  // All tokens differ where they can: then there is most to add to the embedding's gradient.
  const promptIds = (b: number) =>
    Array.from({ length: promptTokens }, (_, i) => (b * promptTokens + i) % usedVocabSize);
  const rules = dryRules(shape);
  return {
    async rollouts(step, questions, scratch, first = 0): Promise<RolloutBatch> {
      const count = questions.length * group;
      const isLast = first === refill * shape.questions * group;
      // Between the first draw and the last, rows fed are all that is new.
      const hidden = first === 0 || isLast
        ? (await generate(model, DRY_TOKENIZER, {
          prompts: questions.map((_, b) => promptIds(b)),
          group,
          rolloutIds: Array.from({ length: count }, (_, i) => i),
          ...{ thinking, rules, answerTau: 1, seed: 0, step },
        }, scratch)).hidden
        : roomForFed(model, { thinking, rules }, count, scratch);
      const groups = lengthsOf(shape, isLast ? step : 1).map((lengths, b) => ({
        question: questions[b],
        prompt: promptIds(b),
        rollouts: lengths.map((length, g) => ({
          rollout: dryRollout(shape, model.config, { length, prompt: b, index: b * group + g }),
          grade: { reward: 0 as const, correct: false, answer: null, rule: null },
          reward: isLast ? g % 2 : 0,
          rewards: [],
        })),
      }));
      return { groups, hidden, seconds: { generate: 0, grade: 0 } };
    },
  };
}

/**
 * Thinking lengths of a step's rollouts, group by group: first all as long as they may be, at last such that one micro-batch is
 * as full as it may be, which shorter ones can bring about.
 */
function lengthsOf(shape: TrainingShape, step: number): number[][] {
  const { questions, group, promptTokens, maxThinking, answerTokens, microRows } = shape;
  const beside = dryRules(shape).forcedIds.triggerAndBox.length + answerTokens - 1;
  const own = maxThinking + beside;
  const whole = promptTokens + group * own;
  if (step < STEPS) return Array.from({ length: questions }, () => Array<number>(group).fill(maxThinking));
  const rows = Math.min(microRows, questions * whole);
  // A group that does not fit is split, and each part has two rollouts at least, so that they can differ.
  const groups = rows < whole ? 1 : Math.min(questions, Math.ceil(rows / whole));
  const each = rows < whole ? Math.max(2, Math.min(group, Math.ceil((rows - promptTokens) / own))) : group;
  const mean = (rows - groups * promptTokens) / (groups * each);
  return Array.from({ length: groups }, (_, b) =>
    Array.from({ length: each }, (_, g) => {
      const at = b * each + g;
      const length = Math.floor((at + 1) * mean) - Math.floor(at * mean) - beside;
      return Math.max(1, Math.min(maxThinking, length));
    }));
}

/** A rollout that thinks so long, and answers at length. */
function dryRollout(
  shape: TrainingShape,
  { usedVocabSize }: ModelConfig,
  { length, prompt, index }: { length: number; prompt: number; index: number },
): Rollout {
  const { answerTokens, maxThinking } = shape;
  const tokens = (count: number) =>
    Array.from({ length: count }, (_, t) => (index * maxThinking + t) % usedVocabSize);
  const stats = (count: number): StepStats => ({
    logp: new Float32Array(count),
    entropy: new Float32Array(count),
    gap: new Float32Array(count),
  });
  return {
    ...{ prompt, index, thinking: tokens(length), thinkingEnd: "limit" },
    ...{ forced: dryRules(shape).forcedIds.triggerAndBox, forcedKind: "triggerAndBox" },
    ...{ answer: tokens(answerTokens), answerEnd: "limit" },
    ...{ thinkingStats: stats(length), answerStats: stats(answerTokens) },
  };
}
