import type { ModelConfig } from "./config.ts";
import { qkvWidth } from "./params.ts";

/** Floating-point operations of one row through the matrix products of all blocks, forward. */
export function blockFlops(config: ModelConfig): number {
  const { layers, hiddenSize: d, heads, headDim, intermediateSize: f } = config;
  return 2 * layers * d * (qkvWidth(config) + heads * headDim + 3 * f);
}

/** Operations of one row through the LM head, or of one mixture p E, forward. */
export const headFlops = (config: ModelConfig): number => 2 * config.vocabSize * config.hiddenSize;

/** Operations of causal attention for `rows` rows that start at position `first`, forward, over all layers. */
export function attentionFlops(config: ModelConfig, first: number, rows: number): number {
  const keys = rows * first + rows * (rows + 1) / 2;
  return 4 * config.layers * config.heads * config.headDim * keys;
}

/** Lengths in tokens; the prompt is `shared` by that many rollouts. */
interface RolloutLengths {
  prompt: number;
  shared: number;
  thinking: number;
  forced: number;
  answer: number;
}

/**
 * Useful operations of generating one rollout: matrix products and causal attention over the rows that its tokens
 * need, its part of the shared prompt, and where steps mix the vocabulary (`mixes`) the mixture of each. Rows past the end do not count.
 */
export function rolloutFlops(config: ModelConfig, lengths: RolloutLengths, mixes: boolean): number {
  const { prompt, shared, thinking, forced, answer } = lengths;
  const own = thinking + forced + Math.max(0, answer - 1);
  const prefill = prompt * blockFlops(config) + attentionFlops(config, 0, prompt);
  const decoded = own * blockFlops(config) + attentionFlops(config, prompt, own);
  const heads = thinking * (mixes ? 2 : 1) + answer;
  return prefill / shared + decoded + heads * headFlops(config);
}
