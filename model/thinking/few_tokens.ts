import type { Scratch } from "../../gpu/arena.ts";
import { type FewTokens, scatterTokens } from "../../gpu/ops/few/few_tokens.ts";
import { type FewWeighing, weighFew } from "../../gpu/ops/few/few_weights.ts";
import { mixRows } from "../../gpu/ops/few/mix_rows.ts";
import { noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { Domain } from "../../gpu/random.ts";
import { fewRowsBackward, keyOf, type Thinking } from "./thinking.ts";

/** A way that weighs the `width` likeliest tokens at random. */
export interface FewTokensWay {
  /** As on the command line. */
  name: string;
  /** Tokens of a step. */
  width: number;
  /** How they are weighed. */
  how: FewWeighing;
}

/**
 * Mixtures of a few tokens with random weights: the next row is w E over the `width` likeliest tokens, renormalised among themselves;
 * the shadow is the heaviest. The action is w (or the noise that it was made of), drawn again from its counter in the backward pass. The row is a function of the
 * action, so later steps send their gradient into E through it. That the set of tokens moves with the parameters is neglected.
 *
 * @param unit RMS(E), the unit of a deviation
 */
export function fewTokensThinking({ name, width, how }: FewTokensWay, unit: number): Thinking {
  return {
    name,
    tau: how.tau,
    continuous: true,
    leaves: "logits",
    sigma: unit,
    few: width,
    step({ model, z, info, shift, record, chosen, next, fed, seed, step, few: wanted }) {
      const { gpu, config, params } = model;
      const at = { info, shift, key: keyOf({ seed, step }, Domain.noise) };
      using scratch = gpu.arena.scratch();
      const few = wanted ?? roomForFew(scratch, z.shape[0], width);
      weighFew(gpu, how, z, config.usedVocabSize, few, at, record, chosen);
      mixRows(gpu, params.embedding, few, next, { info, fed, column: record.column });
    },
    score({ model, z, weights, fed, info, record, seed, step, few, measured, stats, clipStep }) {
      if (!how.random) throw new Error(`Cannot score ${name} thinking without noise: it has no density`);
      const { gpu, config, params } = model;
      using scratch = gpu.arena.scratch();
      const [rows] = z.shape;
      const at = { info, shift: 0, key: keyOf({ seed, step }, Domain.noise) };
      const chosen = scratch.u32([rows], "likeliest tokens");
      const scores = scratch.f32([rows, width], "scores of tokens");
      weighFew(gpu, how, z, config.usedVocabSize, few!, at, record, chosen, scores);
      const row = scratch.f32(fed.shape, "mixture");
      mixRows(gpu, params.embedding, few!, row);
      noiseMismatch(gpu, row, fed, 0, at, measured, unit);
      const scored = { ids: few!.ids, values: scores };
      scatterTokens(gpu, scored, weights, z, clipStep, stats);
      return { logits: z };
    },
    rowBackward: fewRowsBackward,
  };
}

/** Room for the tokens of a step and their weights. */
export const roomForFew = (scratch: Scratch, rows: number, width: number): FewTokens => ({
  ids: scratch.u32([rows, width], "tokens"),
  values: scratch.f32([rows, width], "weights of tokens"),
});
