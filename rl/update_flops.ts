import { loraCounts } from "../model/memory/count_weights.ts";
import type { ModelConfig } from "../model/transformer/config.ts";
import { attentionFlops, blockFlops, headFlops, rolloutFlops } from "../model/transformer/flops.ts";
import { inputRows, type ScoredGroup } from "./packed_batch.ts";

/** Operations of one row through an adapter's A and B, forward: a multiplication and an addition a number. */
const adapterFlops = (config: ModelConfig, rank: number): number => 2 * loraCounts(config, rank).trained;

/** Rollouts by their lengths. */
interface Lengths {
  prompt: readonly unknown[];
  rollouts: readonly { rollout: Record<"thinking" | "forced" | "answer", readonly unknown[]> }[];
}

/** Useful operations of a step's rollouts, an adapter's of `rank` included; the prompt of a group counts once. */
export function batchFlops(
  config: ModelConfig,
  batch: { groups: readonly Lengths[] },
  mixes: boolean,
  rank = 0,
): number {
  const adapted = adapterFlops(config, rank);
  let flops = 0;
  for (const { prompt, rollouts } of batch.groups) {
    flops += adapted * prompt.length;
    for (const { rollout: { thinking, forced, answer } } of rollouts) {
      flops += adapted * (thinking.length + forced.length + Math.max(0, answer.length - 1));
      flops += rolloutFlops(config, {
        prompt: prompt.length,
        shared: rollouts.length,
        thinking: thinking.length,
        forced: forced.length,
        answer: answer.length,
      }, mixes);
    }
  }
  return flops;
}

/**
 * Useful operations of the update: matrix products and causal attention over real rows, the backward pass twice the
 * forward, shared prompts once, and where steps mix the vocabulary (`mixes`) the two products of each mixture's backward; no recomputation, no measurements.
 * With an adapter of `rank` frozen weights have no gradient: their backward pass is one product as the forward.
 */
export function updateFlops(
  config: ModelConfig,
  parts: readonly ScoredGroup[][],
  mixes: boolean,
  rank = 0,
): number {
  const frozen = rank > 0;
  const products = frozen ? 2 : 3;
  const row = products * blockFlops(config) + 3 * adapterFlops(config, rank);
  const pass = (first: number, rows: number) => rows * row + 3 * attentionFlops(config, first, rows);
  let flops = 0;
  const prompts = new Set<readonly number[]>(); // a group that was split has its prompt in every part
  for (const { prompt, rollouts } of parts.flat()) {
    if (!prompts.has(prompt)) flops += pass(0, prompt.length);
    prompts.add(prompt);
    for (const rollout of rollouts) {
      flops += pass(prompt.length, inputRows(rollout));
      flops += products * headFlops(config) * (rollout.thinking.length + rollout.answer.length);
      if (mixes) flops += (frozen ? 1 : 2) * headFlops(config) * rollout.thinking.length;
    }
  }
  return flops;
}
