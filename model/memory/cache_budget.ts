import type { Gpu } from "../../gpu/gpu.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { kvBytesPerRow, STRIDE } from "../transformer/kv_cache.ts";
import { qkvWidth } from "../transformer/params.ts";

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
const cacheBudget = (gpu: Gpu): number =>
  budgets.get(gpu) ?? budgetCache(gpu, deviceMemory(gpu.adapter)?.free);

/** Settles how many bytes caches may take on a device that has `free` left; forecasts call it, others ask the device. */
export function budgetCache(gpu: Gpu, free: number | undefined): number {
  const guess = Math.min(16 * 2 ** 30, Math.max(2 ** 31, 4 * gpu.maxBinding));
  // More rollouts at once than 2 GiB hold make the software device no faster.
  const budget = free === undefined ? guess : Math.min(free / 2, gpu.adapter.software ? 2 ** 31 : Infinity);
  budgets.set(gpu, budget);
  return budget;
}

/** Gives a dry device the budget of the device that it stands for. */
export function shareCacheBudget(from: Gpu, to: Gpu): void {
  budgets.set(to, cacheBudget(from));
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
