import type { Question } from "../eval/task.ts";
import { createHalfCopy } from "../model/half_copy.ts";
import type { ModelConfig } from "../model/config.ts";
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
} from "../model/generation_memory.ts";
import { createAdapter } from "../model/lora/lora.ts";
import type { WeightTypes } from "../model/params.ts";
import type { Model } from "../model/transformer.ts";
import { createLike, createOptimizer } from "./optimizer.ts";
import type { RolloutBatch, RolloutSource } from "./rollout.ts";
import { type Trainer, trainStep } from "./train_step.ts";

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

// The second step finds the buffers of the first in another order than that did.
const STEPS = 2;

/**
 * What a training will hold at its peak, every rollout as long as it may be and every group with a signal: training steps
 * run on a dry device, whose arena counts the buffers that a real one would make.
 */
export async function trainingNeed(
  config: ModelConfig,
  shape: TrainingShape,
  device: ForecastDevice = {},
): Promise<TrainingNeed> {
  const { rank, types, questions, group, continuous, microRows, recompute } = shape;
  const model = openDryModel(config, rank === undefined ? "f32" : types, device);
  const { gpu } = model;
  if (rank !== undefined) model.adapter = createAdapter(gpu, config, { rank, alpha: rank });
  const copy = shape.rolloutWeights === "f16" ? createHalfCopy(model) : undefined;
  const trainer: Trainer = {
    model,
    tokenizer: DRY_TOKENIZER,
    task: { question: (): Question => ({ id: "", question: "", gold: "" }) } as unknown as Trainer["task"],
    thinking: dryThinking(continuous),
    rules: dryRules(shape),
    settings: {
      ...{ questions, group, seed: 0, clipStep: 0, thinkingWeight: 1, recompute, microRows },
      ...OPTIMIZER,
    },
    source: dryRollouts(copy?.model ?? model, shape),
    grads: createLike(model, "gradient"),
    optimizer: createOptimizer(gpu, config, model.adapter),
    reduce: () => Promise.resolve(),
  };
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

/** Generates dry, and then says that every rollout was as long as it may be. */
function dryRollouts(model: Model, shape: TrainingShape): RolloutSource {
  const { promptTokens, group, continuous } = shape;
  const prompt = Array<number>(promptTokens).fill(1);
  const rules = dryRules(shape);
  return {
    async rollouts(step, questions, scratch): Promise<RolloutBatch> {
      const { hidden } = await generate(model, DRY_TOKENIZER, {
        prompts: questions.map(() => prompt),
        group,
        rolloutIds: Array.from({ length: questions.length * group }, (_, i) => i),
        ...{ thinking: dryThinking(continuous), rules, answerTau: 1, seed: 0, step },
      }, scratch);
      const groups = questions.map((question, b) => ({
        question,
        prompt,
        rollouts: Array.from({ length: group }, (_, g) => ({
          rollout: longest(shape, b, b * group + g),
          grade: { reward: 0 as const, correct: false, answer: null, rule: null },
          reward: g % 2,
          rewards: [],
        })),
      }));
      return { groups, hidden, seconds: { generate: 0, grade: 0 } };
    },
  };
}

/** A rollout of the greatest length. */
function longest(shape: TrainingShape, prompt: number, slot: number): Rollout {
  const { maxThinking, answerTokens } = shape;
  const tokens = (count: number) => Array<number>(count).fill(1);
  const stats = (count: number): StepStats => ({
    logp: new Float32Array(count),
    entropy: new Float32Array(count),
    gap: new Float32Array(count),
  });
  return {
    ...{ prompt, slot, thinking: tokens(maxThinking), thinkingEnd: "limit" },
    ...{ forced: dryRules(shape).forcedIds.triggerAndBox, forcedKind: "triggerAndBox" },
    ...{ answer: tokens(answerTokens), answerEnd: "limit" },
    ...{ thinkingStats: stats(maxThinking), answerStats: stats(answerTokens) },
  };
}
