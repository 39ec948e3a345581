import { countWeights, loraCounts } from "../../model/memory/count_weights.ts";
import { dryRules } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { attentionFlops } from "../../model/transformer/flops.ts";
import { kvBytesPerRow } from "../../model/transformer/kv_cache.ts";
import { batchFlops, updateFlops } from "../update_flops.ts";
import { mostBytes } from "../workers/result.ts";

/** What is trained, and how long everything is: in tokens, all rollouts as long as they may be. */
export interface ScaledTraining {
  config: ModelConfig;
  /** Rollouts of each question. */
  group: number;
  prompt: number;
  thinking: number;
  forced: number;
  answer: number;
  /** Steps of thinking mix the vocabulary. */
  mixes: boolean;
  /** They feed rows that are kept for the update. */
  continuous: boolean;
  /** Of an adapter; all weights train if left out. */
  rank?: number;
  /** Bytes of a weight that rollouts are made with. */
  weightBytes: number;
  /** Block inputs alone are kept, and the rest is computed again. */
  recompute: boolean;
}

/** What one question of an update takes, whoever does it. */
export interface QuestionWork {
  /** Useful operations of all its rollouts: `rollout_flops` of the metrics. */
  rolloutFlops: number;
  /** Those of its part of the update: `update_flops`. */
  updateFlops: number;
  /** Bytes of keys and values that its rollouts' steps read, each for itself. */
  kvBytes: number;
  /** Bytes of its rollouts as a worker's result. */
  resultBytes: number;
}

/** Counts the work of one question by what counts that of a training. */
export function questionWork(training: ScaledTraining): QuestionWork {
  const { config, group, mixes, continuous, rank } = training;
  const tokens = (count: number) => Array<number>(count).fill(0);
  const rollout = {
    thinking: tokens(training.thinking),
    forced: tokens(training.forced),
    answer: tokens(training.answer),
  };
  const prompt = tokens(training.prompt);
  const numbered = (id: number) => ({ id, index: id, advantage: 0, ...rollout });
  const scored = { prompt, rollouts: Array.from({ length: group }, (_, id) => numbered(id)) };
  const batch = { groups: [{ prompt, rollouts: Array.from({ length: group }, () => ({ rollout })) }] };
  // Attention's operations are four for each number of a key: of the products with keys, and with values.
  const keysRead = attentionFlops(config, training.prompt, stepsOf(training)) /
    (4 * config.layers * config.heads * config.headDim);
  return {
    rolloutFlops: batchFlops(config, batch, mixes, rank),
    updateFlops: updateFlops(config, [[scored]], mixes, rank),
    kvBytes: group * keysRead * kvBytesPerRow(config),
    resultBytes: mostBytes({
      prompts: [{ prompt, rolloutIds: tokens(group) }],
      rules: dryRules({
        ...{ maxThinking: training.thinking, answerTokens: training.answer, forcedTokens: training.forced },
      }),
      ...{ width: config.hiddenSize, rows: continuous ? group : 0 },
    }),
  };
}

/** Steps of generation one after another: a rollout's own rows. */
export const stepsOf = (
  { thinking, forced, answer }: Pick<ScaledTraining, "thinking" | "forced" | "answer">,
): number => thinking + forced + Math.max(0, answer - 1);

/** Numbers that are trained, summed over learners, and sent to workers. */
export const trainedCount = ({ config, rank }: Pick<ScaledTraining, "config" | "rank">): number =>
  rank === undefined ? countWeights(config) : loraCounts(config, rank).trained;

/**
 * Bytes of weights that each step of generation reads. The head reads a tied embedding, and where steps mix the vocabulary the mixture reads it
 * once more; of one of its own a few rows are read, or by mixtures all of it.
 */
export function bytesOfStep(
  { config, mixes, weightBytes }: Pick<ScaledTraining, "config" | "mixes" | "weightBytes">,
): number {
  const embedding = config.vocabSize * config.hiddenSize;
  const times = (config.tied ? 1 : 0) + (mixes ? 1 : 0);
  return weightBytes * (countWeights(config) + (times - 1) * embedding);
}
