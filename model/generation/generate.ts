import type { Scratch } from "../../gpu/arena.ts";
import { generateJobs } from "./generate_jobs.ts";
import type { GeneratedBatch, GenerateRequest, GenerationJob, Rollout } from "./rollout.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";

/**
 * Generates rollouts: prefill of each prompt once, thinking, the forced text, the answer (method section 4).
 * All sampling is done on the GPU; token ids are read every few positions. Rollouts that memory does not hold at once
 * wait for the slots of those that have ended.
 * @param scratch keeps `hidden` for the caller
 */
export async function generate(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
): Promise<GeneratedBatch> {
  const { prompts, group, rolloutIds, rules, thinking } = request;
  const jobs = prompts.map((prompt, b): GenerationJob => ({
    prompt,
    rolloutIds: Array.from({ length: group }, (_, g) => rolloutIds[b * group + g]),
  }));
  const count = prompts.length * group;
  const d = model.config.hiddenSize;
  const hidden = scratch.f32(
    thinking.continuous ? [count, Math.max(rules.maxThinking, 1), d] : [1, 1, d],
    "hidden",
  );
  const rollouts: Rollout[] = Array(count);
  await generateJobs(model, tokenizer, jobs, request, {
    hidden,
    onRollout: (rollout) => void (rollouts[rollout.index] = rollout),
  });
  return { rollouts, hidden };
}
