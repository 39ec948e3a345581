import {
  budgetDryCache,
  type ForecastDevice,
  generateDry,
  openDryModel,
} from "../../model/memory/generation_memory.ts";
import { createAdapter } from "../../model/transformer/adapter.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { createEmptyModel } from "../../model/transformer/transformer.ts";
import { createHalfCopy } from "../../model/weights/half_copy.ts";
import { BUCKET } from "../cluster/buckets.ts";
import { createShardedOptimizer } from "../cluster/sharded_optimizer.ts";
import { createBehind } from "../behind.ts";
import { createLike, createOptimizer } from "../optimizer.ts";
import { actorOf, diagnosisOf } from "../trainer.ts";
import { dryTrainer, trainDry } from "./dry_trainer.ts";
import type { TrainingShape } from "./training_shape.ts";

/** Bytes that a training holds. */
interface TrainingNeed {
  /** Weights, gradients, moments, a copy for rollouts, those of the last updates, and what diagnosing takes: held throughout. */
  state: number;
  /** At its peak, state included; the state alone where that exceeds what the device has free. */
  total: number;
}

/**
 * What a training will hold at its peak, every rollout as long as it may be and every group with a signal: training steps
 * run on a dry device, whose arena counts the buffers that a real one would make.
 */
export async function trainingNeed(
  config: ModelConfig,
  shape: TrainingShape,
  device: ForecastDevice = {},
): Promise<TrainingNeed> {
  const { rank, types } = shape;
  const model = openDryModel(config, rank === undefined ? "f32" : types, device);
  const { gpu } = model;
  if (rank !== undefined) model.adapter = createAdapter(gpu, config, { rank, alpha: rank });
  const behind = createBehind(model, shape.staleness ?? 0);
  const actor = actorOf({ model, behind });
  const copy = shape.rolloutWeights === "f16" ? createHalfCopy(actor) : undefined;
  const base = () => createEmptyModel(gpu, config, shape.baseTypes);
  const trainer = dryTrainer({
    ...{ model, shape, behind, rolloutModel: copy?.model ?? actor },
    grads: createLike(model, "gradient"),
    optimizer: shape.shardOptimizer && shape.learners
      ? createShardedOptimizer(gpu, model.adapter?.params ?? model.params, { rank: 0, size: shape.learners })
      : createOptimizer(gpu, config, model.adapter),
    diagnosis: shape.diagnoseEvery ? diagnosisOf(model, rank === undefined ? base() : undefined) : undefined,
  });
  // What sums of gradients go through, on the device and on the way back from it.
  if ((shape.learners ?? 1) > 1) gpu.arena.create([4, BUCKET], "f32", "buckets");
  const state = gpu.arena.bytes;
  // Too large without a step, which might take long.
  if (device.free !== undefined && state > device.free) return { state, total: state };
  budgetDryCache(gpu, device);
  await trainDry(trainer);
  if (shape.tests) {
    const { questions: prompts, samples: group, atOnce } = shape.tests;
    for (const thinking of shape.tests.thinking) {
      gpu.arena.trim();
      await generateDry(model, { ...shape, prompts, group, atOnce, thinking });
    }
  }
  return { state, total: gpu.arena.peakBytes };
}
