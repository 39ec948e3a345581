import type { ModelConfig } from "../model/config.ts";
import { attentionFlops, blockFlops, headFlops, rolloutFlops } from "../model/flops.ts";
import { inputRows, type ScoredGroup } from "./packed_batch.ts";
import type { RolloutBatch } from "./rollout.ts";

/** Useful operations of a step's rollouts; the prompt of a group counts once. */
export function batchFlops(config: ModelConfig, batch: RolloutBatch, continuous: boolean): number {
  let flops = 0;
  for (const { prompt, rollouts } of batch.groups) {
    for (const { rollout: { thinking, forced, answer } } of rollouts) {
      flops += rolloutFlops(config, {
        prompt: prompt.length,
        shared: rollouts.length,
        thinking: thinking.length,
        forced: forced.length,
        answer: answer.length,
      }, continuous);
    }
  }
  return flops;
}

/**
 * Useful operations of the update: matrix products and causal attention over real rows, the backward pass twice the
 * forward, shared prompts once, and the two products of each mixture's backward; no recomputation, no measurements.
 */
export function updateFlops(
  config: ModelConfig,
  parts: readonly ScoredGroup[][],
  continuous: boolean,
): number {
  const pass = (first: number, rows: number) =>
    3 * (rows * blockFlops(config) + attentionFlops(config, first, rows));
  let flops = 0;
  const prompts = new Set<readonly number[]>(); // a group that was split has its prompt in every part
  for (const { prompt, rollouts } of parts.flat()) {
    if (!prompts.has(prompt)) flops += pass(0, prompt.length);
    prompts.add(prompt);
    for (const rollout of rollouts) {
      flops += pass(prompt.length, inputRows(rollout));
      flops += 3 * headFlops(config) * (rollout.thinking.length + rollout.answer.length);
      if (continuous) flops += 2 * headFlops(config) * rollout.thinking.length;
    }
  }
  return flops;
}
