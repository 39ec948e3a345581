import type { ModelConfig } from "../model/config.ts";
import {
  generationBytes,
  loraStateBytes,
  loraTrainingBytes,
  trainingBytes,
  trainingStateBytes,
} from "../model/memory.ts";
import { weightBytes } from "../model/weight_types.ts";

/** What decides how much memory a training takes. */
export interface TrainingShape {
  /** B. */
  questions: number;
  /** G. */
  group: number;
  /** Tokens of a prompt, forced text included. */
  promptTokens: number;
  /** L. */
  maxThinking: number;
  /** Most answer tokens. */
  answerTokens: number;
  /** Most rows of a micro-batch. */
  microRows: number;
  recompute: boolean;
  /** Soft or fuzzy thinking: the rows that were fed are kept. */
  continuous: boolean;
  /** Rank of the adapter; a full training where it is left out. */
  rank?: number;
  /** Bytes of the weights that an adapter is trained on; those of f32 where it is left out. */
  baseBytes?: number;
  /** Type of the weights that rollouts are made with: `f16` is a second set. */
  rolloutWeights?: "f32" | "f16";
}

/** Bytes that a training holds at its peak. */
export interface TrainingNeed {
  /** Weights, gradients, moments, and a copy for rollouts: held throughout. */
  state: number;
  /** Beside it while rollouts are generated: cache, rows that were fed, rows at work. */
  rollouts: number;
  /** Beside it in the update: activations of a micro-batch, logits, rows that were fed. */
  update: number;
  /** State and the larger of the two. */
  total: number;
}

/** What a training will hold, all rollouts of a step generated at once. */
export function trainingNeed(config: ModelConfig, shape: TrainingShape): TrainingNeed {
  const {
    questions,
    group,
    promptTokens,
    maxThinking,
    answerTokens,
    recompute,
    continuous,
    rank,
    baseBytes,
  } = shape;
  const own = maxThinking + answerTokens;
  const rows = questions * (promptTokens + group * own);
  const microRows = Math.min(shape.microRows, rows);
  const copy = shape.rolloutWeights === "f16" ? weightBytes(config, "f16") : 0;
  const state = rank === undefined ? trainingStateBytes(config) : loraStateBytes(config, rank, baseBytes);
  const whole = rank === undefined
    ? trainingBytes(config, microRows, recompute)
    : loraTrainingBytes(config, microRows, recompute, rank, baseBytes);
  const batch = { prompt: promptTokens, prompts: questions, group, own, continuous };
  const rollouts = generationBytes(config, questions * group, batch, 0);
  const fed = continuous ? 4 * questions * group * maxThinking * config.hiddenSize : 0;
  const update = whole - state + fed;
  return { state: state + copy, rollouts, update, total: state + copy + Math.max(rollouts, update) };
}
