import { type BatchShape, slotsThatFit } from "../memory/cache_budget.ts";
import type { Model } from "../transformer/transformer.ts";
import { checkContext, maxNewTokens } from "./check_context.ts";
import type { GenerationJob, GenerationSettings } from "./rollout.ts";

/**
 * What decides how much memory these jobs take.
 * @throws UserError if the longest prompt leaves too little of the model's context
 */
export function shapeOfJobs(
  model: Model,
  jobs: readonly GenerationJob[],
  { rules, plain }: Pick<GenerationSettings, "rules" | "plain">,
): BatchShape {
  const lengths = jobs.map(({ prompt }) => prompt.length);
  const promptTokens = lengths.reduce((most, length) => Math.max(most, length), 0);
  const newTokens = plain ? rules.maxThinking : maxNewTokens(rules);
  checkContext(model, promptTokens, newTokens);
  return {
    promptTokens,
    meanPromptTokens: lengths.reduce((sum, length) => sum + length, 0) / jobs.length,
    prompts: jobs.length,
    group: jobs.reduce((most, { rolloutIds }) => Math.max(most, rolloutIds.length), 1),
    maxNewTokens: newTokens,
  };
}

/** How many slots these jobs get, one for each sequence that runs: as many as rollouts, or as `atOnce` or memory allow. */
export function slotsFor(
  { gpu, config }: Model,
  jobs: readonly GenerationJob[],
  shape: BatchShape,
  atOnce = Infinity,
): number {
  const total = jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);
  return Math.min(total, atOnce, slotsThatFit(gpu, config, shape));
}
