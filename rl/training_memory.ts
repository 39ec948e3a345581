import type { ModelConfig } from "../model/config.ts";
import {
  countWeights,
  generationBytes,
  loraStateBytes,
  loraTrainingBytes,
  trainingBytes,
  trainingStateBytes,
} from "../model/memory.ts";

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
}

/** Bytes that a training holds at its peak. */
export interface TrainingNeed {
  /** Weights, gradients and moments: held throughout. */
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
  const { questions, group, promptTokens, maxThinking, answerTokens, recompute, continuous, rank } = shape;
  const own = maxThinking + answerTokens;
  const rows = questions * (promptTokens + group * own);
  const microRows = Math.min(shape.microRows, rows);
  const state = rank === undefined ? trainingStateBytes(config) : loraStateBytes(config, rank);
  const whole = rank === undefined
    ? trainingBytes(config, microRows, recompute)
    : loraTrainingBytes(config, microRows, recompute, rank);
  const batch = { prompt: promptTokens, prompts: questions, group, own, continuous };
  const rollouts = generationBytes(config, questions * group, batch) - 4 * countWeights(config);
  const fed = continuous ? 4 * questions * group * maxThinking * config.hiddenSize : 0;
  const update = whole - state + fed;
  return { state, rollouts, update, total: state + Math.max(rollouts, update) };
}
