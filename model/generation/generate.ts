import type { Scratch } from "../../gpu/arena.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { generateJobs, type JobRunner } from "./generate_jobs.ts";
import type { GeneratedBatch, GenerateRequest, GenerationJob, Rollout } from "./rollout.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";

/** Told how many rollouts have ended, and how many tokens there are by now, those of unfinished ones included. */
export type RolloutsProgress = (ended: number, tokens: number) => void;

/**
 * Generates rollouts: prefill of each prompt once, thinking, the forced text, the answer (method section 4).
 * All sampling is done on the GPU; token ids are read every few positions. Rollouts that memory does not hold at once
 * wait for the slots of those that have ended.
 * @param scratch keeps `hidden` for the caller
 * @param run who generates: this device where it is left out
 * @param onProgress called as tokens come
 */
export async function generate(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
  run: JobRunner = generateJobs,
  onProgress?: RolloutsProgress,
): Promise<GeneratedBatch> {
  const { prompts, group } = request;
  const count = prompts.length * group;
  const hidden = roomForFed(model, request, count, scratch);
  const rollouts: Rollout[] = Array(count);
  let [ended, tokens] = [0, 0];
  await run(model, tokenizer, jobsOf(request), request, {
    hidden,
    onRollout(rollout) {
      rollouts[rollout.index] = rollout;
      ended++;
    },
    onStride: (more) => onProgress?.(ended, tokens += more),
  });
  return { rollouts, hidden };
}

/** What is asked for, prompt by prompt. */
export const jobsOf = (
  { prompts, group, rolloutIds }: Pick<GenerateRequest, "prompts" | "group" | "rolloutIds">,
): GenerationJob[] =>
  prompts.map((prompt, b) => ({
    prompt,
    rolloutIds: Array.from({ length: group }, (_, g) => rolloutIds[b * group + g]),
  }));

/** [rollouts, steps, d]: room for the rows that continuous thinking feeds. */
export function roomForFed(
  { config }: Model,
  { thinking, rules }: Pick<GenerateRequest, "thinking" | "rules">,
  rollouts: number,
  scratch: Scratch,
): Tensor {
  const d = config.hiddenSize;
  const shape = thinking.continuous ? [rollouts, Math.max(rules.maxThinking, 1), d] : [1, 1, d];
  return scratch.f32(shape, "hidden");
}
