import type { Gpu } from "../gpu/gpu.ts";
import { adamW } from "../gpu/ops/adamw/adamw.ts";
import { globalNorm } from "../gpu/ops/adamw/global_norm.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { ModelConfig } from "../model/transformer/config.ts";
import { type Adapter, refreshAdapter } from "../model/transformer/adapter.ts";
import { createLoraParams } from "../model/transformer/lora_params.ts";
import { createParams, matricesOf, type Trainable } from "../model/transformer/params.ts";
import type { Model } from "../model/transformer/transformer.ts";

/** AdamW's settings, fixed for a run. */
export interface OptimizerSettings {
  /** Peak learning rate. */
  lr: number;
  /** Steps over which the rate rises linearly from 0. */
  warmup: number;
  /** Steps of the whole run: the cosine ends there. */
  steps: number;
  /** The rate's floor, as a share of `lr`. */
  finalLr: number;
  /** Decay of the first moment. */
  beta1: number;
  /** Decay of the second moment. */
  beta2: number;
  /** Added to the root of the second moment. */
  eps: number;
  /** Decoupled, on every tensor. */
  weightDecay: number;
  /** Bound on the global gradient norm; 0 for none. */
  clip: number;
}

/** Both moments of every weight that trains. */
export interface Optimizer {
  /** First moments. */
  first: Trainable;
  /** Second moments. */
  second: Trainable;
  /** f32 [1]: the norm of the last gradient, before clipping. */
  norm: Tensor;
}

/** Zeroed f32 of the form of what trains: the adapter where the model has one, else all weights. */
export const createLike = (
  { gpu, config, adapter }: Pick<Model, "gpu" | "config" | "adapter">,
  label: string,
): Trainable =>
  adapter
    ? createLoraParams(gpu, config, adapter.settings.rank, label)
    : createParams(gpu, config, "f32", label);

/** Zeroed moments, in f32: of the adapter where there is one, else of all weights. */
export function createOptimizer(gpu: Gpu, config: ModelConfig, adapter?: Adapter): Optimizer {
  return {
    first: createLike({ gpu, config, adapter }, "first moment"),
    second: createLike({ gpu, config, adapter }, "second moment"),
    norm: gpu.arena.create([1], "f32", "gradient norm"),
  };
}

/** The learning rate of a step counted from 1: linear warm-up, then a cosine to the floor. */
export function learningRate(settings: OptimizerSettings, step: number): number {
  const { lr, warmup, steps, finalLr } = settings;
  if (step <= warmup) return lr * step / warmup;
  const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return lr * (finalLr + (1 - finalLr) * (1 + Math.cos(Math.PI * done)) / 2);
}

/** One update of what trains in a model, by a gradient of that form; the rest as {@link optimizerStep}. */
export function updateModel(
  { gpu, params, adapter }: Model,
  grads: Trainable,
  optimizer: Optimizer,
  settings: OptimizerSettings,
  step: number,
): void {
  optimizerStep(gpu, adapter?.params ?? params, grads, optimizer, settings, step);
  if (adapter) refreshAdapter(gpu, adapter);
}

/** One update of all weights, in place. The norm and the clipping stay on the GPU. `step` counts from 1. */
export function optimizerStep(
  gpu: Gpu,
  params: Trainable,
  grads: Trainable,
  optimizer: Optimizer,
  settings: OptimizerSettings,
  step: number,
): void {
  const gradients = matricesOf(grads);
  const first = matricesOf(optimizer.first);
  const second = matricesOf(optimizer.second);
  globalNorm(gpu, gradients, optimizer.norm);
  matricesOf(params).forEach((weight, i) => {
    adamW(gpu, gradients[i], optimizer.norm, weight, first[i], second[i], {
      ...settings,
      lr: learningRate(settings, step),
      step,
    });
  });
}
