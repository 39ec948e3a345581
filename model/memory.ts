import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "./config.ts";
import { HEAD_CHUNK_BYTES } from "./head.ts";
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

/** Number of weights that a config asks for. */
export function countWeights(config: ModelConfig): number {
  const { layers, hiddenSize: d, heads, headDim, intermediateSize: f, vocabSize } = config;
  const qkv = qkvWidth(config);
  const biases = (config.qkvBias ? qkv : 0) + (config.qkNorm ? 2 * headDim : 0);
  const layer = d * qkv + d * heads * headDim + 3 * d * f + 2 * d + biases;
  return layers * layer + d + vocabSize * d * (config.tied ? 1 : 2);
}

/** Bytes of weights, gradients and both moments, all f32: held as long as a full training runs. */
export const trainingStateBytes = (config: ModelConfig): number => 16 * countWeights(config);

/**
 * Bytes that one row of a micro-batch holds from the forward to the backward pass: every block's activations, or with
 * recomputation every block's input and the activations of the one at work; with them the row's own gradient and the
 * head's input.
 */
export function activationBytes(config: ModelConfig, recompute: boolean): number {
  const { layers, hiddenSize: d, heads, kvHeads, headDim: hd, intermediateSize: f } = config;
  const raw = config.qkNorm ? qkvWidth(config) : 0;
  // input, middle and their norms, q, attention, k, v, gate and up, hidden, log-sum-exps, two inverse norms
  const block = 4 * d + raw + 2 * heads * hd + 2 * kvHeads * hd + 3 * f + heads + 2;
  // In a block's backward: d hidden, d gate and up, normed, d attention, dq, dk, dv, d qkv.
  const working = Math.max(3 * f + d, d + 2 * heads * hd + 2 * kvHeads * hd + 2 * qkvWidth(config));
  const kept = recompute ? layers * d + block : layers * block;
  return 4 * (kept + working + 5 * d);
}

/** What a full training holds at its peak, in bytes. */
export function trainingBytes(config: ModelConfig, microRows: number, recompute: boolean): number {
  // Logits and their gradient exist for one chunk of rows at a time.
  const head = 2 * Math.min(HEAD_CHUNK_BYTES, microRows * config.vocabSize * 4);
  return trainingStateBytes(config) + microRows * activationBytes(config, recompute) + head;
}

/** Bytes that one row takes on its way through a block, nothing kept. */
function passingBytes(config: ModelConfig): number {
  const { hiddenSize: d, heads, headDim: hd, intermediateSize: f } = config;
  return 4 * (2 * d + (config.qkNorm ? 2 : 1) * qkvWidth(config) + 2 * heads * hd + heads + 3 * f + 2);
}

/** What generating `rollouts` at once holds, in bytes: f32 weights, cache, rows that were fed, rows at work, logits. */
export function generationBytes(config: ModelConfig, rollouts: number, shape: BatchShape): number {
  const { prompt, group, own, continuous } = shape;
  const cache = (own + prompt / group) * kvBytesPerRow(config);
  const fed = continuous ? own * config.hiddenSize * 4 : 0;
  // All prompts pass at once; after that, one row of each rollout.
  const passing = Math.max(1, prompt / group) * passingBytes(config);
  return 4 * countWeights(config) + rollouts * (cache + fed + passing + config.vocabSize * 4);
}
