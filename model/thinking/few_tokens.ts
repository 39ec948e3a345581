import type { Scratch } from "../../gpu/arena.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { rowDeviation, scatterTokens } from "../../gpu/ops/few/few_tokens.ts";
import { type FewStep, type FewWeighing, weighFew } from "../../gpu/ops/few/few_weights.ts";
import { mixRows } from "../../gpu/ops/few/mix_rows.ts";
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
    step({ model, z, info, shift, record, chosen, next, fed, seed, step }) {
      const { gpu, config, params } = model;
      const key = keyOf({ seed, step }, Domain.noise);
      choose(gpu, "greedy", z, config.usedVocabSize, how.tau, info, shift, record, chosen, key);
      using scratch = gpu.arena.scratch();
      const [rows] = z.shape;
      const few = roomFor(scratch, rows, width);
      weighFew(gpu, how, "weights", z, config.usedVocabSize, few, { info, shift, key }, record);
      const weights = { ids: few.ids, values: few.out };
      mixRows(gpu, params.embedding, weights, next, { info, fed, column: record.column });
    },
    score({ model, z, weights, fed, info, record, seed, step, few: made, measured, stats, clipStep }) {
      if (!how.random) throw new Error(`Cannot score ${name} thinking without noise: it has no density`);
      const { gpu, config, params } = model;
      using scratch = gpu.arena.scratch();
      const [rows] = z.shape;
      const at = { info, shift: 0, key: keyOf({ seed, step }, Domain.noise) };
      const few = roomFor(scratch, rows, width);
      const again = { ...few, ids: made!.ids, out: made!.values };
      weighFew(gpu, how, "weights", z, config.usedVocabSize, again, at, record);
      const row = scratch.f32(fed.shape, "mixture");
      mixRows(gpu, params.embedding, made!, row);
      rowDeviation(gpu, row, fed, unit, measured);
      weighFew(gpu, how, "score", z, config.usedVocabSize, few, at, record);
      const score = { ids: few.ids, values: few.out };
      scatterTokens(gpu, score, weights, z, config.usedVocabSize, clipStep, stats);
      return { logits: z };
    },
    rowBackward: fewRowsBackward,
  };
}

const roomFor = (scratch: Scratch, rows: number, width: number): FewStep => ({
  ids: scratch.u32([rows, width], "tokens"),
  logp: scratch.f32([rows, width], "ln p of tokens"),
  out: scratch.f32([rows, width], "weights of tokens"),
});
