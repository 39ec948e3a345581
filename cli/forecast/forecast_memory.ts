import { openDryGpu, SOME_GPU } from "../../gpu/device/dry_gpu.ts";
import { budgetCache, slotsThatFit } from "../../model/memory/cache_budget.ts";
import { dryThinking, FORCED_TOKENS, generationNeed } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { largestShare } from "../../rl/cluster/learners.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import type { TrainingShape } from "../../rl/memory/training_shape.ts";
import { whatWouldFit } from "../train/refuse_too_large.ts";
import type { ForecastValues } from "./forecast_settings.ts";

/** Bytes that are held throughout, and at the peak. */
interface Need {
  state: number;
  peak: number;
}

/** Bytes that a training holds on each device. */
export interface ForecastMemory {
  /** Of a card. */
  card: number;
  /** Of a learner that keeps all moments: weights, gradients, moments; and with rollouts and activations, where the state fits the card. */
  learner: Need;
  /** Of one that keeps its share of them. */
  sharded: Need;
  /** Of a worker: weights, and with rollouts; null where there is none. */
  worker: Need | null;
  /** Flags that would make a learner fit that does not, in words. */
  instead: string | null;
  /** Rollouts that are generated at once. */
  slots: { learner: number; worker: number };
}

/** What the devices of a cluster hold: by dry runs of an update, and of rollouts, of one learner's share. */
export async function forecastMemory(
  config: ModelConfig,
  values: ForecastValues,
  questions: number,
  card: number,
): Promise<ForecastMemory> {
  const { prompt: promptTokens, group, maxThinking, answerTokens, thinking, learners } = values;
  const device = { free: card };
  const lengths = { promptTokens, group, maxThinking, answerTokens, thinking: dryThinking(thinking) };
  const shape = (shardOptimizer: boolean): TrainingShape => ({
    ...{ ...lengths, questions: largestShare(questions, { size: learners }), learners, shardOptimizer },
    ...{ microRows: values.microRows, recompute: values.recompute, rolloutWeights: values.rolloutWeights },
    rank: values.lora ? values.loraRank : undefined,
  });
  const need = async (shardOptimizer: boolean) => {
    const { state, total } = await trainingNeed(config, shape(shardOptimizer), device);
    return { state, peak: total };
  };
  const whole = await need(false);
  const sharded = learners > 1 ? await need(true) : whole;
  const worker = values.workers > 0 ? await workerNeed() : null;
  const maxNewTokens = maxThinking + FORCED_TOKENS + answerTokens;
  const slotsBeside = ({ state }: Need) => {
    const gpu = openDryGpu(SOME_GPU);
    // Where the state leaves nothing, what would be there on a card with room for both.
    budgetCache(gpu, card > state ? card - state : card);
    return slotsThatFit(gpu, config, { promptTokens, group, maxNewTokens });
  };
  const asked = values.shardOptimizer ? sharded : whole;
  return {
    ...{ card, learner: whole, sharded, worker },
    instead: asked.peak <= card
      ? null
      : await whatWouldFit(SOME_GPU, config, shape(values.shardOptimizer), card),
    slots: {
      learner: slotsBeside(asked),
      worker: slotsBeside(worker ?? { state: 0, peak: 0 }),
    },
  };

  async function workerNeed(): Promise<Need> {
    const makers = values.workers + (values.workersOnly ? 0 : 1);
    const prompts = Math.ceil(largestShare(questions, { size: learners }) / makers);
    const { weights, total } = await generationNeed(
      config,
      { ...lengths, prompts },
      values.rolloutWeights,
      device,
    );
    return { state: weights, peak: total };
  }
}
