import type { Gpu } from "../gpu/device.ts";
import { deviceMemory } from "../gpu/device_memory.ts";
import type { ModelConfig } from "./config.ts";
import { HEAD_CHUNK_BYTES } from "./head.ts";
import { kvBytesPerRow, STRIDE } from "./generation/kv_cache.ts";
import { FUSED, fusedShape } from "./lora/lora.ts";
import { qkvWidth } from "./params.ts";

/** The shape of what is to be generated. */
export interface BatchShape {
  /** Tokens of the longest prompt. */
  prompt: number;
  /** Mean length of the prompts; that of the longest if left out. */
  meanPrompt?: number;
  /** How many prompts there are; no end of them if left out. */
  prompts?: number;
  /** Rollouts of each prompt. */
  group: number;
  /** Rows that each rollout may need beside its prompt: thinking, forced, answer. */
  own: number;
  /** Whether the rows that were fed are kept. */
  continuous: boolean;
}

/** Rows that pass through the blocks at once when prompts are read: a bound on memory, wide enough for speed. */
export const PREFILL_ROWS = 1024;

// Asked once a device: the answer costs a process, and decides nothing but speed.
const budgets = new WeakMap<Gpu, number>();

/** Bytes that a cache may take: half of what the device has free, or where nobody tells what its largest binding suggests. */
function cacheBudget(gpu: Gpu): number {
  const known = budgets.get(gpu);
  if (known !== undefined) return known;
  const guess = Math.min(16 * 2 ** 30, Math.max(2 ** 31, 4 * gpu.maxBinding));
  const free = deviceMemory(gpu.adapter)?.free;
  // More rollouts at once than 2 GiB hold make the software device no faster.
  const budget = free === undefined ? guess : Math.min(free / 2, gpu.adapter.software ? 2 ** 31 : Infinity);
  budgets.set(gpu, budget);
  return budget;
}

/** Rows of the cache that are lent to the prompts of `rollouts` at once: any one fits, very long ones wait for room. */
export function prefixRows(rollouts: number, shape: BatchShape): number {
  const { prompt, meanPrompt = prompt, prompts = Infinity, group } = shape;
  // The first and the last question may have only some of their rollouts under way.
  const held = Math.min(prompts, group === 1 ? rollouts : Math.ceil(rollouts / group) + 1);
  const room = held === prompts ? meanPrompt : Math.min(prompt, 1.5 * meanPrompt);
  return Math.max(prompt, Math.ceil(held * room));
}

/** Rows of the cache that a rollout has for itself: up to a stride is computed past its end. */
export const ownRows = (own: number): number => own + STRIDE;

/** Rows of the cache for so many rollouts at once. */
export const cacheRows = (rollouts: number, shape: BatchShape): number =>
  prefixRows(rollouts, shape) + rollouts * ownRows(shape.own);

/** The most rollouts that can be generated at once: each tensor within a binding, the cache within its budget. */
export function rolloutsThatFit(gpu: Gpu, config: ModelConfig, shape: BatchShape): number {
  const { hiddenSize: d, intermediateSize: f, vocabSize } = config;
  const kvWidth = config.kvHeads * config.headDim * 4;
  const widest = Math.max(2 * f, qkvWidth(config), d) * 4;
  const mostRows = Math.min(gpu.maxBinding / kvWidth, cacheBudget(gpu) / kvBytesPerRow(config));
  const fits = (rollouts: number) =>
    cacheRows(rollouts, shape) <= mostRows && rollouts * Math.max(vocabSize * 4, widest) <= gpu.maxBinding;
  let [fitting, tooMany] = [1, 2 ** 20];
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (fits(middle)) fitting = middle;
    else tooMany = middle;
  }
  return fitting;
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

/** Numbers of an adapter of all linear layers: what trains, what the blocks multiply by, and what a row keeps. */
export function loraCounts(
  config: ModelConfig,
  rank: number,
): { trained: number; blocks: number; row: number } {
  const layer = { trained: 0, blocks: 0, row: 0 };
  for (const fused of FUSED) {
    const { inputs, parts } = fusedShape(config, fused);
    const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
    layer.trained += rank * (parts.length * inputs + outputs);
    layer.blocks += rank * parts.length * outputs;
    layer.row += rank * parts.length;
  }
  const { layers } = config;
  return { trained: layers * layer.trained, blocks: layers * layer.blocks, row: layers * layer.row };
}

/** Bytes that training an adapter holds all along: `weights` frozen; A and B with gradients and both moments. */
export function loraStateBytes(
  config: ModelConfig,
  rank: number,
  weights = 4 * countWeights(config),
): number {
  const { trained, blocks } = loraCounts(config, rank);
  return weights + 16 * trained + 4 * blocks;
}

/** What training an adapter of all linear layers holds at its peak, in bytes; `weights` are those of the model. */
export function loraTrainingBytes(
  config: ModelConfig,
  microRows: number,
  recompute: boolean,
  rank: number,
  weights = 4 * countWeights(config),
): number {
  const full = trainingBytes(config, microRows, recompute) - trainingStateBytes(config);
  const kept = loraCounts(config, rank).row / (recompute ? config.layers : 1);
  return loraStateBytes(config, rank, weights) + full + 4 * microRows * kept;
}

/** Bytes that one row takes on its way through a block, nothing kept. */
function passingBytes(config: ModelConfig): number {
  const { hiddenSize: d, heads, headDim: hd, intermediateSize: f } = config;
  return 4 * (2 * d + (config.qkNorm ? 2 : 1) * qkvWidth(config) + 2 * heads * hd + heads + 3 * f + 2);
}

/** What generating `rollouts` at once holds, in bytes: `weights`, cache, rows that were fed, rows at work, logits. */
export function generationBytes(
  config: ModelConfig,
  rollouts: number,
  shape: BatchShape,
  weights = 4 * countWeights(config),
): number {
  const { own, continuous, prompt, group } = shape;
  const d4 = 4 * config.hiddenSize;
  const cache = cacheRows(rollouts, shape) * kvBytesPerRow(config);
  const fed = continuous ? rollouts * (own + STRIDE) * d4 : 0;
  // Prompts pass first; after that, one row of each rollout, with its logits.
  const reading = Math.min(PREFILL_ROWS, Math.ceil(rollouts / group) * prompt) * (passingBytes(config) + d4);
  const passing = rollouts * (passingBytes(config) + 4 * d4 + config.vocabSize * 4);
  return weights + cache + fed + Math.max(reading, passing);
}
