import { assert } from "../../gpu/assert.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { kvBytesPerRow } from "../transformer/kv_cache.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import { qkvWidth } from "../transformer/params.ts";

/** What decides how many KV rows a batch of rollouts needs. */
export interface BatchShape {
  /** Tokens of the longest prompt. */
  promptTokens: number;
  /** Mean length of the prompts; that of the longest if left out. */
  meanPromptTokens?: number;
  /** How many prompts there are; no end of them if left out. */
  prompts?: number;
  /** Rollouts of each prompt. */
  group: number;
  /** Most tokens of a rollout beside its prompt: thinking, forced text, answer. */
  maxNewTokens: number;
}

// Asked once a device: the answer costs a process, and decides nothing but speed.
const budgets = new WeakMap<Gpu, number>();

/** Bytes that a cache may take: half of what the device has free, or where nobody tells what its largest binding suggests. */
const cacheBudget = (gpu: Gpu): number =>
  budgets.get(gpu) ?? budgetCache(gpu, deviceMemory(gpu.adapter)?.free);

/** Sets how many bytes caches may take on a device that has `free` left; forecasts call it, others ask the device. */
export function budgetCache(gpu: Gpu, free: number | undefined): number {
  const guess = Math.min(16 * 2 ** 30, Math.max(2 ** 31, 4 * gpu.maxBinding));
  // More slots than 2 GiB hold make the software device no faster.
  const budget = free === undefined ? guess : Math.min(free / 2, gpu.adapter.software ? 2 ** 31 : Infinity);
  budgets.set(gpu, budget);
  return budget;
}

/** Gives a dry device the budget of the device that it stands for. */
export function shareCacheBudget(from: Gpu, to: Gpu): void {
  budgets.set(to, cacheBudget(from));
}

/**
 * KV rows that are lent to the prompts (prefixes) of so many sequences: any one fits, very long ones wait for others to leave.
 *
 * @throws Error if the shape is none
 */
export function prefixRows(slots: number, shape: BatchShape): number {
  const { promptTokens, meanPromptTokens = promptTokens, prompts = Infinity, group, maxNewTokens } = shape;
  assert(
    meanPromptTokens > 0 && meanPromptTokens <= promptTokens && prompts > 0 && group > 0 && maxNewTokens >= 0,
    () =>
      `Cannot plan a cache for ${prompts} prompts of ${meanPromptTokens} tokens, at most ${promptTokens}, with ${group} ` +
      `rollouts of ${maxNewTokens} tokens each: a prompt, a token in each, a rollout of each are needed, and no mean above ` +
      "the most",
  );
  // The first and the last prompt may have only some of their sequences running.
  const shared = Math.min(prompts, group === 1 ? slots : Math.ceil(slots / group) + 1);
  const each = shared === prompts ? meanPromptTokens : Math.min(promptTokens, 1.5 * meanPromptTokens);
  return Math.max(promptTokens, Math.ceil(shared * each));
}

/** KV rows of a slot: a sequence's own tokens, and up to a stride that is computed past its end. */
export const slotRows = (maxNewTokens: number): number => maxNewTokens + STRIDE;

/** Rows of a cache for so many sequences at once. */
export const cacheRows = (slots: number, shape: BatchShape): number =>
  prefixRows(slots, shape) + slots * slotRows(shape.maxNewTokens);

/** The most rows that a cache may have: each layer's within a binding, all within the budget. */
export function mostCacheRows(gpu: Gpu, config: ModelConfig): number {
  const kvWidth = config.kvHeads * config.headDim * 4;
  return Math.floor(Math.min(gpu.maxBinding / kvWidth, cacheBudget(gpu) / kvBytesPerRow(config)));
}

/** The most rows that may take a step together: each tensor of theirs within a binding. */
export const mostStepRows = ({ maxBinding }: Gpu, config: ModelConfig): number =>
  Math.min(mostTrainedRows(maxBinding, config), Math.floor(maxBinding / (4 * config.vocabSize)));

/** The most rows that may go through an update together: each layer's tensors within a binding. Logits are made for some at a time. */
export function mostTrainedRows(maxBinding: number, config: ModelConfig): number {
  const { hiddenSize: d, intermediateSize: f } = config;
  return Math.floor(maxBinding / (4 * Math.max(2 * f, qkvWidth(config), d)));
}

/** The most slots that there can be: each tensor within a binding, the cache within its budget; 1 even if that does not fit. */
export function slotsThatFit(gpu: Gpu, config: ModelConfig, shape: BatchShape): number {
  const mostRows = mostCacheRows(gpu, config);
  const mostSlots = mostStepRows(gpu, config);
  const fits = (slots: number) => cacheRows(slots, shape) <= mostRows && slots <= mostSlots;
  let [fitting, tooMany] = [1, 2 ** 20];
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (fits(middle)) fitting = middle;
    else tooMany = middle;
  }
  return fitting;
}
