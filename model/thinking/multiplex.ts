import { choose } from "../../gpu/ops/choose/choose.ts";
import { drawsScore, drawTokens, type Weighting } from "../../gpu/ops/few/few_tokens.ts";
import { mixRows } from "../../gpu/ops/few/mix_rows.ts";
import { noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { Domain } from "../../gpu/random.ts";
import { roomForFew } from "./few_tokens.ts";
import { fewRowsBackward, keyOf, type Thinking } from "./thinking.ts";

/** Options of {@link multiplexThinking}. */
export interface MultiplexOptions {
  /** Temperature of p; 1 if left out. */
  tau?: number;
  /** K, tokens that are drawn at each step. */
  width: number;
  /** `uniform`, or as published `probability`: p[k_j] / sum_l p[k_l]. */
  weighting: Weighting;
  /** RMS(E), the unit of a deviation. */
  unit: number;
}

/**
 * Multiplex thinking (arXiv 2601.08808): K tokens drawn one apart from another from p, row = mean of their embeddings,
 * shadow = the first. The score is that of all K tokens, which the row is a function of: exact (method section 8). With weights by
 * probability the row moves with p too, which the score does not see: a surrogate.
 */
export function multiplexThinking({ tau = 1, width, weighting, unit }: MultiplexOptions): Thinking {
  return {
    name: "multiplex",
    tau,
    continuous: true,
    leaves: "logits",
    sigma: unit,
    few: width,
    draws: true,
    mixesDraws: true,
    step({ model, z, info, shift, record, chosen, next, fed, seed, step, few: wanted }) {
      const { gpu, config, params } = model;
      const at = { info, shift, key: keyOf({ seed, step }, Domain.tokens) };
      using scratch = gpu.arena.scratch();
      const few = wanted ?? roomForFew(scratch, z.shape[0], width);
      drawTokens(gpu, z, config.usedVocabSize, tau, at, record, chosen, few, weighting);
      mixRows(gpu, params.embedding, few, next, { info, fed, column: record.column });
    },
    score({ model, z, weights, fed, info, record, seed, step, few, measured, stats, clipStep }) {
      const { gpu, config, params } = model;
      using scratch = gpu.arena.scratch();
      const at = { info, shift: 0, key: keyOf({ seed, step }, Domain.tokens) };
      const chosen = scratch.u32([z.shape[0]], "likeliest tokens");
      drawTokens(gpu, z, config.usedVocabSize, tau, at, record, chosen, few!, weighting);
      const row = scratch.f32(fed.shape, "mixture");
      mixRows(gpu, params.embedding, few!, row);
      noiseMismatch(gpu, row, fed, 0, at, measured, unit);
      choose(gpu, "mixture", z, config.usedVocabSize, tau, info, 0, record, chosen, at.key);
      drawsScore(gpu, z, config.usedVocabSize, tau, few!.ids, weights, clipStep, stats, info, record);
      return { logits: z };
    },
    rowBackward: fewRowsBackward,
  };
}
