import { choose } from "../../gpu/ops/choose/choose.ts";
import { drawsScore, type FewTokens, type Weighting } from "../../gpu/ops/few/few_tokens.ts";
import { mixRows } from "../../gpu/ops/few/mix_rows.ts";
import { drawBesideTop, mixNeighbours, nearRows, withoutMixed } from "../../gpu/ops/few/neighbours.ts";
import { noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { Domain } from "../../gpu/random.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { roomForFew } from "./few_tokens.ts";
import { fewRowsBackward, keyOf, type StepInput, type Thinking } from "./thinking.ts";

/** Options of {@link neighboursThinking}. */
export interface NeighboursOptions {
  /** Temperature of p; 1 if left out. */
  tau?: number;
  /** Tokens of a mixed step: the most probable one and its nearest. */
  width: number;
  /** How often a step is mixed, 0 to 1. */
  rho: number;
  /** `probability` as published: p over its sum among these tokens; or `uniform`. */
  weighting: Weighting;
  /** RMS(E), the unit of a deviation. */
  unit: number;
}

/** What a step is taken from, in rollout and training. */
type Place = Pick<StepInput, "model" | "z" | "info" | "shift" | "record" | "seed" | "step">;

/**
 * Neighbour mixing (N-GRPO, arXiv 2606.10768; method section 8): with probability rho the row mixes the most probable token and its nearest rows of
 * E by cosine, and the step carries no action; else a token from p, scored as such. With weights by probability a mixed row moves with p,
 * unseen by the score: a surrogate; with uniform weights exact, but for jumps.
 *
 * Neighbours are those in E as it is: a run needs no state for them, and E is the same in the rollouts and the gradient of an update.
 */
export function neighboursThinking({ tau = 1, width, rho, weighting, unit }: NeighboursOptions): Thinking {
  /** Draws a token for each row and finds what its step mixes; z stays. drawn, top u32 [rows], as {@link drawBesideTop} has them. */
  const take = (place: Place, drawn: Tensor, top: Tensor, few: FewTokens) => {
    const { model: { gpu, config, params }, z, info, shift, record } = place;
    const { usedVocabSize: vocab } = config;
    const at = { info, shift, key: keyOf(place, Domain.tokens) };
    using scratch = gpu.arena.scratch();
    drawBesideTop(gpu, z, vocab, tau, at, { rho, domain: Domain.noise }, record, drawn, top);
    const near = scratch.f32(z.shape, "nearness");
    nearRows(gpu, params.embedding, top, near);
    mixNeighbours(gpu, near, z, vocab, { weighting, tau }, info, top, record, few);
  };
  return {
    name: "neighbours",
    tau,
    continuous: true,
    leaves: "logits",
    sigma: unit,
    few: width,
    draws: true,
    step(input) {
      const { model: { gpu, params }, info, record, chosen, next, fed } = input;
      using scratch = gpu.arena.scratch();
      const few = input.few ?? roomForFew(scratch, input.z.shape[0], width);
      take(input, chosen, scratch.u32(chosen.shape, "tops of mixed steps"), few);
      mixRows(gpu, params.embedding, few, next, { info, fed, column: record.column });
    },
    score(input) {
      const { model, z, weights, fed, info, record, seed, step, few, measured, stats, clipStep } = input;
      const { gpu, config, params } = model;
      using scratch = gpu.arena.scratch();
      const [rows] = z.shape;
      const at = { info, shift: 0, key: keyOf({ seed, step }, Domain.noise) };
      const [drawn, top] = ["drawn tokens", "tops of mixed steps"].map((label) => scratch.u32([rows], label));
      take({ ...input, shift: 0 }, drawn, top, few!);
      const row = scratch.f32(fed.shape, "mixture");
      mixRows(gpu, params.embedding, few!, row);
      noiseMismatch(gpu, row, fed, 0, at, measured, unit);
      const factor = scratch.f32([rows], "factors of tokens");
      withoutMixed(gpu, weights, top, factor);
      // The step's statistics are those of its draw: what the mixture finds is not recorded.
      const aside = { ...record, stats: scratch.f32(record.stats.shape, "statistics of the mixture") };
      const likeliest = scratch.u32([rows], "most probable");
      choose(gpu, "mixture", z, config.usedVocabSize, tau, info, 0, aside, likeliest, at.key);
      const one = { ...drawn, shape: [rows, 1] };
      drawsScore(gpu, z, config.usedVocabSize, tau, one, factor, clipStep, stats, info, record);
      return { logits: z };
    },
    rowBackward: fewRowsBackward,
  };
}
