import type { ModelConfig } from "../../model/transformer/config.ts";
import { randomArray } from "./support.ts";
import { EMBEDDING, type Weights, weightShapes } from "./transformer.ts";

/**
 * Weights for any configuration, the same for the same seed, each exact in float32: norms near 1, biases and norms with
 * spread 0.1, embedding and head with 0.3, projections with 1 / sqrt(inputs), so that logits are neither flat nor peaked.
 */
export function randomWeights(config: ModelConfig, seed: number): Weights {
  const weights: Weights = new Map();
  for (const [name, shape] of weightShapes(config)) {
    const lookedUp = name === EMBEDDING || name === "lm_head.weight";
    const scale = shape.length === 1 ? 0.1 : lookedUp ? 0.3 : 1 / Math.sqrt(shape[1]);
    const centre = name.endsWith("norm.weight") ? 1 : 0;
    const values = randomArray(seed++, shape.reduce((a, b) => a * b), scale);
    weights.set(name, values.map((value) => Math.fround(centre + value)));
  }
  return weights;
}
