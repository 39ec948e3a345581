import { promptOf } from "../eval/questions/prompt_ids.ts";
import type { Question } from "../eval/task.ts";
import { openDryGpu } from "../gpu/device/dry_gpu.ts";
import { createHalfCopy } from "../model/weights/half_copy.ts";
import type { ModelConfig } from "../model/transformer/config.ts";
import { generate } from "../model/generation/generate.ts";
import type { Rollout, StepStats } from "../model/generation/rollout.ts";
import {
  budgetDryCache,
  DRY_TOKENIZER,
  dryRules,
  dryThinking,
  type ForecastDevice,
  generateDry,
  type GenerationShape,
  openDryModel,
} from "../model/memory/generation_memory.ts";
import { createAdapter } from "../model/transformer/adapter.ts";
import type { WeightTypes } from "../model/transformer/params.ts";
import { shareCacheBudget } from "../model/memory/cache_budget.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { createLike, createOptimizer } from "./optimizer.ts";
import type { RolloutBatch, RolloutSource } from "./rollout.ts";
import type { Trainer } from "./trainer.ts";
import { trainStep } from "./train_step.ts";

/** What decides how much memory a training takes. */
export interface TrainingShape extends Omit<GenerationShape, "prompts" | "atOnce"> {
  /** B. */
  questions: number;
  /** Most rows of a micro-batch. */
  microRows: number;
  recompute: boolean;
  /** Rank of the adapter; a full training where it is left out. */
  rank?: number;
  /** Types of the weights that an adapter is trained on; f32 where they are left out, and in a full training. */
  types?: WeightTypes;
  /** Type of the weights that rollouts are made with: `f16` is a second set. */
  rolloutWeights?: "f32" | "f16";
  /** Questions that are answered between updates, so many at once; none where they are left out. */
  tests?: { questions: number; samples: number; atOnce: number; continuous: boolean };
}

/** Bytes that a training holds. */
export interface TrainingNeed {
  /** Weights, gradients, moments, and a copy for rollouts: held throughout. */
  state: number;
  /** At its peak, state included; the state alone where that exceeds what the device has free. */
  total: number;
}

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

/**
 * What a training will hold at its peak, every rollout as long as it may be and every group with a signal: training steps
 * run on a dry device, whose arena counts the buffers that a real one would make.
 */
export async function trainingNeed(
  config: ModelConfig,
  shape: TrainingShape,
  device: ForecastDevice = {},
): Promise<TrainingNeed> {
  const { rank, types, continuous } = shape;
  const model = openDryModel(config, rank === undefined ? "f32" : types, device);
  const { gpu } = model;
  if (rank !== undefined) model.adapter = createAdapter(gpu, config, { rank, alpha: rank });
  const copy = shape.rolloutWeights === "f16" ? createHalfCopy(model) : undefined;
  const trainer = dryTrainer({
    ...{ model, shape, thinking: dryThinking(continuous), rolloutModel: copy?.model ?? model },
    grads: createLike(model, "gradient"),
    optimizer: createOptimizer(gpu, config, model.adapter),
  });
  const state = gpu.arena.bytes;
  // Too large without a step, which might take long.
  if (device.free !== undefined && state > device.free) return { state, total: state };
  budgetDryCache(gpu, device);
  for (let step = 1; step <= STEPS; step++) await trainStep(trainer, step);
  if (shape.tests) {
    const { questions: prompts, samples, ...rest } = shape.tests;
    gpu.arena.trim();
    await generateDry(model, { ...shape, prompts, group: samples, ...rest });
  }
  return { state, total: gpu.arena.peakBytes };
}

// Questions whose prompts are made for their lengths; those of later steps are hardly longer.
const QUESTIONS = 64;

/** Lengths of the prompts that a training begins with. */
export function promptTokensOf(
  { tokenizer, task, prompt, settings: { seed, questions } }:
    & Pick<Trainer, "tokenizer" | "task" | "prompt">
    & { settings: { seed: number; questions: number } },
): Required<Pick<TrainingShape, "promptTokens" | "meanPromptTokens">> {
  const lengths = Array.from(
    { length: Math.max(QUESTIONS, questions) },
    (_, i) => promptOf(tokenizer, task, task.question("train", seed, i).question, prompt).ids.length,
  );
  const sum = lengths.reduce((sum, length) => sum + length, 0);
  return { promptTokens: Math.max(...lengths), meanPromptTokens: sum / lengths.length };
}

/**
 * Makes the buffers that a training will want at most, by steps run dry on its device's own arena: a training that begins does
 * not run out of memory later, and its steps make no buffer and no bind group once each kernel has run.
 */
export async function reserveTraining(trainer: Trainer): Promise<void> {
  const { model, thinking, rules, settings, grads, optimizer } = trainer;
  const gpu = openDryGpu(model.gpu, model.gpu.arena);
  shareCacheBudget(model.gpu, gpu);
  const shape: TrainingShape = {
    ...settings,
    ...{ maxThinking: rules.maxThinking, answerTokens: rules.maxAnswer, continuous: thinking.continuous },
    ...promptTokensOf(trainer),
    forcedTokens: Math.max(...Object.values(rules.forcedIds).map((ids) => ids.length)),
  };
  const dry = { ...model, gpu };
  const steps = dryTrainer({ model: dry, rolloutModel: dry, shape, thinking, grads, optimizer });
  for (let step = 1; step <= STEPS; step++) await trainStep(steps, step);
}

/** A trainer that draws and learns nothing, on a dry device. */
function dryTrainer(
  { model, rolloutModel, shape, thinking, grads, optimizer }:
    & Pick<Trainer, "model" | "thinking" | "grads" | "optimizer">
    & {
      rolloutModel: Model;
      shape: TrainingShape;
    },
): Trainer {
  const { questions, group, microRows, recompute } = shape;
  return {
    ...{ model, thinking, grads, optimizer },
    tokenizer: DRY_TOKENIZER,
    task: { question: (): Question => ({ id: "", question: "", gold: "" }) } as unknown as Trainer["task"],
    rules: dryRules(shape),
    settings: {
      ...{ questions, group, seed: 0, clipStep: 0, thinkingWeight: 1, recompute, microRows },
      ...OPTIMIZER,
    },
    source: dryRollouts(rolloutModel, thinking, shape),
    reduce: () => Promise.resolve(),
  };
}

/** Generates dry, and then says how long the rollouts were: as {@link lengthsOf} has it. */
function dryRollouts(model: Model, thinking: Thinking, shape: TrainingShape): RolloutSource {
  const { promptTokens, group } = shape;
  const { usedVocabSize } = model.config;
  // All tokens differ where they can: then there is most to add to the embedding's gradient.
  const promptIds = (b: number) =>
    Array.from({ length: promptTokens }, (_, i) => (b * promptTokens + i) % usedVocabSize);
  const rules = dryRules(shape);
  return {
    async rollouts(step, questions, scratch): Promise<RolloutBatch> {
      const { hidden } = await generate(model, DRY_TOKENIZER, {
        prompts: questions.map((_, b) => promptIds(b)),
        group,
        rolloutIds: Array.from({ length: questions.length * group }, (_, i) => i),
        ...{ thinking, rules, answerTau: 1, seed: 0, step },
      }, scratch);
      const groups = lengthsOf(shape, step).map((lengths, b) => ({
        question: questions[b],
        prompt: promptIds(b),
        rollouts: lengths.map((length, g) => ({
          rollout: dryRollout(shape, model.config, { length, prompt: b, index: b * group + g }),
          grade: { reward: 0 as const, correct: false, answer: null, rule: null },
          reward: g % 2,
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
