import type { Tensor } from "../../gpu/tensor.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { type Trainable, zeroParams } from "../../model/transformer/params.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { accumulateGradient, type ActionRecord, type ObjectiveSettings } from "../../rl/objective.ts";
import { createLike, createOptimizer, type Optimizer, updateModel } from "../../rl/optimizer.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import { constantRate } from "./constant_rate.ts";

/**
 * Rollouts as an update takes them, made up: `group` of each prompt, of which rollout g has thought for `steps(g)` tokens below
 * `vocabulary`. All have an answer of three tokens, and every second one is better than the others.
 */
export function madeUpGroups(
  prompts: readonly number[][],
  group: number,
  steps: (g: number) => number,
  vocabulary: number,
): ScoredGroup[] {
  return prompts.map((prompt, b) => ({
    prompt,
    rollouts: Array.from({ length: group }, (_, g) => ({
      id: b * group + g,
      index: b * group + g,
      thinking: Array.from({ length: steps(g) }, (_, t) => t % vocabulary),
      forced: [5],
      answer: [1, 2, 3],
      advantage: g % 2 - 0.5,
    })),
  }));
}

/** An update that can be made any number of times: the weights stay what they are. */
export interface RepeatedUpdate {
  objective: ObjectiveSettings;
  /** Of the last one. */
  grads: Trainable;
  optimizer: Optimizer;
  /** Records objective, backward pass and optimizer; what it returns fetches the actions' numbers. */
  record(): () => Promise<ActionRecord>;
}

/**
 * The update of a model, or of its adapter where it has one, on these rollouts.
 *
 * @param hidden [rollouts, steps, d]: their thoughts
 */
export function repeatedUpdate(
  model: Model,
  groups: readonly ScoredGroup[],
  thinking: Thinking,
  hidden: Tensor,
  recompute = false,
): RepeatedUpdate {
  const { gpu, config, adapter } = model;
  const grads = createLike(model, "gradient");
  const optimizer = createOptimizer(gpu, config, adapter);
  const objective = {
    ...{ thinking, hidden, scale: 1 / hidden.shape[0], seed: 0, step: 1 },
    ...{ clipStep: 0, thinkingWeight: 1, recompute },
  };
  return {
    objective,
    grads,
    optimizer,
    record() {
      zeroParams(gpu, grads);
      const fetch = accumulateGradient(model, grads, groups, objective);
      updateModel(model, grads, optimizer, constantRate(0), 1);
      return fetch;
    },
  };
}
