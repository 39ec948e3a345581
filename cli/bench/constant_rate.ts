import type { OptimizerSettings } from "../../rl/optimizer.ts";

/**
 * AdamW at a rate that stays what it is from the first of `steps` updates on, without weight decay. At a rate of 0 it does all its
 * work, and the weights stay what they are.
 */
export const constantRate = (lr: number, steps = 1): OptimizerSettings => ({
  lr,
  warmup: 0,
  steps,
  finalLr: 1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
});
