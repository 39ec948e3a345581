import { checkContext, rowsOfRollout } from "./check_context.ts";
import { type BatchShape, rolloutsThatFit } from "../memory/cache_budget.ts";
import type { GenerationJob, GenerationSettings } from "./rollout.ts";
import type { Model } from "../transformer/transformer.ts";

type Limits = Pick<GenerationSettings, "rules" | "plain" | "thinking">;

/**
 * What decides how much memory these jobs take.
 * @throws UserError if the longest prompt leaves too little of the model's context
 */
export function shapeOfJobs(
  model: Model,
  jobs: readonly GenerationJob[],
  { rules, plain, thinking }: Limits,
): BatchShape {
  const lengths = jobs.map(({ prompt }) => prompt.length);
  const prompt = lengths.reduce((most, length) => Math.max(most, length), 0);
  const own = plain ? rules.maxThinking : rowsOfRollout(rules);
  checkContext(model, prompt, own);
  return {
    prompt,
    meanPrompt: lengths.reduce((sum, length) => sum + length, 0) / jobs.length,
    prompts: jobs.length,
    group: jobs.reduce((most, { rolloutIds }) => Math.max(most, rolloutIds.length), 1),
    own,
    continuous: thinking.continuous,
  };
}

/** How many rollouts of these jobs are generated at once: all, unless `atOnce` or memory allow fewer. */
export function rolloutsAtOnce(
  { gpu, config }: Model,
  jobs: readonly GenerationJob[],
  shape: BatchShape,
  atOnce = Infinity,
): number {
  const total = jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);
  return Math.min(total, atOnce, rolloutsThatFit(gpu, config, shape));
}
