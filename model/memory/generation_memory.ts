import type { DeviceFacts } from "../../gpu/device/cards.ts";
import { openDryGpu, SOME_GPU } from "../../gpu/device/dry_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { generateJobs } from "../generation/generate_jobs.ts";
import type { ThinkingRules } from "../generation/thinking_text.ts";
import { budgetCache } from "./cache_budget.ts";
import type { WeightTypes } from "../transformer/params.ts";
import type { Thinking } from "../thinking/thinking.ts";
import { type AnyWay, mixingOf, type MixingOptions, wayOfThinking } from "../thinking/ways.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createEmptyModel, type Model } from "../transformer/transformer.ts";

/** What is to be generated. */
export interface GenerationShape {
  /** Tokens of the longest prompt. */
  promptTokens: number;
  /** Mean length of the prompts; that of the longest if left out. */
  meanPromptTokens?: number;
  /** How many prompts there are. */
  prompts: number;
  /** Rollouts of each. */
  group: number;
  /** L. */
  maxThinking: number;
  /** Most answer tokens. */
  answerTokens: number;
  /** Tokens of the longest text forced between them; {@link FORCED_TOKENS} if left out. */
  forcedTokens?: number;
  /** How steps are taken: {@link dryThinking} does. */
  thinking: Thinking;
  /** Rollouts at once at most. */
  atOnce?: number;
}

/** The device that a forecast is for. */
export interface ForecastDevice {
  /** An open device, or what is known of one; {@link SOME_GPU} if left out. */
  facts?: DeviceFacts;
  /** Bytes that it has free, if anybody tells. */
  free?: number;
}

/** Tokens of ` The final answer is: \boxed{` in most vocabularies. */
export const FORCED_TOKENS = 8;

/** Where a forecast's rollouts end: the token that a dry device reads everywhere. */
const END = 0;

/** Reads no text and writes none. */
export const DRY_TOKENIZER = {
  tokenText: () => "",
  tokenBytes: () => new Uint8Array(0),
  decode: () => "",
} as unknown as Tokenizer;

/** Limits as given; on a dry device thinking and answer end with their first tokens, all at once, as at their limits. */
export function dryRules(
  { maxThinking, answerTokens, forcedTokens = FORCED_TOKENS }: Pick<
    GenerationShape,
    "maxThinking" | "answerTokens" | "forcedTokens"
  >,
): ThinkingRules {
  const forced = Array<number>(forcedTokens).fill(END);
  return {
    maxThinking,
    maxAnswer: answerTokens,
    endTokenIds: [END],
    forcedIds: { box: forced, boxAfterSpace: forced, triggerAndBox: forced },
  };
}

/** A way of thinking, sampled: of its numbers that of the tokens it mixes alone takes part in memory. */
export const dryThinking = (way: AnyWay, mixing: MixingOptions = {}): Thinking =>
  wayOfThinking(way, { ...mixingOf(mixing), greedy: false, gamma: 1, embeddingRms: 1 });

/** An empty model on a dry device. */
export function openDryModel(
  config: ModelConfig,
  types: WeightTypes | undefined,
  { facts = SOME_GPU }: ForecastDevice,
): Model {
  return createEmptyModel(openDryGpu(facts), config, types);
}

/** What a dry device has left for a cache, now that its model is there. */
export function budgetDryCache(gpu: Gpu, { free }: ForecastDevice): void {
  budgetCache(gpu, free === undefined ? undefined : Math.max(0, free - gpu.arena.bytes));
}

/** Generates dry on `model`'s device, every rollout as long as it may be. */
export async function generateDry(model: Model, shape: GenerationShape): Promise<void> {
  const { promptTokens, meanPromptTokens = promptTokens, prompts, group, atOnce, thinking } = shape;
  // After twice as many rollouts as there are slots nothing new comes.
  const count = atOnce === undefined ? prompts : Math.min(prompts, Math.ceil(2 * atOnce / group));
  const others = Math.max(1, Math.round((count * meanPromptTokens - promptTokens) / Math.max(1, count - 1)));
  const jobs = Array.from({ length: count }, (_, b) => ({
    prompt: Array<number>(b === 0 ? promptTokens : others).fill(1),
    rolloutIds: Array.from({ length: group }, (_, g) => b * group + g),
  }));
  await generateJobs(model, DRY_TOKENIZER, jobs, {
    ...{ thinking, rules: dryRules(shape), answerTau: 1, seed: 0, step: 1, atOnce },
  }, { onRollout() {} });
}

/**
 * Bytes that generation holds at its peak, weights included: the generation itself, run on a dry device, with every
 * rollout as long as it may be.
 * @param types of the large matrices
 */
export async function generationNeed(
  config: ModelConfig,
  shape: GenerationShape,
  types?: WeightTypes,
  device: ForecastDevice = {},
): Promise<{ weights: number; total: number }> {
  const model = openDryModel(config, types, device);
  const { arena } = model.gpu;
  const weights = arena.bytes;
  budgetDryCache(model.gpu, device);
  await generateDry(model, shape);
  return { weights, total: arena.peakBytes };
}
