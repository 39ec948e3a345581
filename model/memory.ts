import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "./config.ts";
import { kvBytesPerRow } from "./kv_cache.ts";
import { qkvWidth } from "./params.ts";

/** The shape of a batch to be generated. */
export interface BatchShape {
  /** Tokens of the longest prompt. */
  prompt: number;
  /** Rollouts of each prompt. */
  group: number;
  /** Rows that each rollout may need beside its prompt: thinking, forced, answer. */
  own: number;
  /** Whether the rows that were fed are kept. */
  continuous: boolean;
}

// WebGPU does not tell how much memory a device has: what its largest binding suggests, 2 to 16 GiB, is cautious.
const cacheBudget = (gpu: Gpu) => Math.min(16 * 2 ** 30, Math.max(2 ** 31, 4 * gpu.maxBinding));

/** The most rollouts that can be generated at once: each tensor within a binding, the cache within its budget. */
export function rolloutsThatFit(gpu: Gpu, config: ModelConfig, shape: BatchShape): number {
  const { hiddenSize: d, intermediateSize: f, vocabSize } = config;
  const { prompt, group, own, continuous } = shape;
  // Rows of the cache that one rollout takes, its share of the prompt included.
  const cacheRows = own + prompt / group;
  const kvWidth = config.kvHeads * config.headDim * 4;
  const widest = Math.max(2 * f, qkvWidth(config), d) * 4;
  const bounds = [
    gpu.maxBinding / (vocabSize * 4),
    gpu.maxBinding / (cacheRows * kvWidth),
    cacheBudget(gpu) / (cacheRows * kvBytesPerRow(config)),
    // The whole batch's prompts pass through the blocks at once.
    gpu.maxBinding / (prompt / group * widest),
    ...(continuous ? [gpu.maxBinding / (own * d * 4)] : []),
  ];
  return Math.max(1, Math.floor(Math.min(...bounds)));
}
