import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import type { DrawAddress } from "../mixture/noise.ts";
import { choose, type StepRecord } from "../choose/choose.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import drawsScoreCode from "./draws_score.wgsl" with { type: "text" };
import drawCode from "./draws.wgsl" with { type: "text" };
import scatterCode from "./scatter_few.wgsl" with { type: "text" };

/** Tokens of each row with a number each. */
export interface FewTokens {
  /** u32 [rows, k]. */
  ids: Tensor;
  /** f32 [rows, k]. */
  values: Tensor;
}

/** Most tokens that a mixture of few has: what a row's invocations keep of them is of fixed size. */
export const MOST_FEW = 32;

/** How much of a mixture each of a few tokens is: the same, or as its probability among them says. */
export const WEIGHTINGS = ["uniform", "probability"] as const;

/** One of {@link WEIGHTINGS}. */
export type Weighting = typeof WEIGHTINGS[number];

/**
 * Draws tokens of each row, one apart from another, from softmax(z / tau) of logits z [rows, width]; their values become 1 / k, or by
 * probability weights that sum to 1. The first becomes the step's token in `record`, whose statistics are those of a greedy `choose`: all
 * this is one dispatch.
 * @param vocab columns that are real tokens
 * @param chosen u32 [rows]: the likeliest tokens
 * @throws Error if they are not 1 to {@link MOST_FEW}
 */
export function drawTokens(
  gpu: Gpu,
  z: Tensor,
  vocab: number,
  tau: number,
  { info, shift, key }: DrawAddress,
  record: StepRecord,
  chosen: Tensor,
  { ids, values }: FewTokens,
  weighting: Weighting = "uniform",
): void {
  const { rows } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  if (!(k >= 1 && k <= MOST_FEW)) {
    throw new Error(`Cannot draw ${k} tokens a step: 1 to ${MOST_FEW} are possible`);
  }
  for (const one of [ids, values]) expectShape("draw tokens", one, [rows, k]);
  choose(gpu, "greedy", z, vocab, tau, info, shift, record, chosen, key, {
    name: "draws",
    fields: " k: u32, weighted: u32,",
    code: `const MOST_FEW = ${MOST_FEW};\n${drawCode}`,
    tensors: [ids, values],
    params: { k, weighted: weighting === "uniform" ? 0 : 1 },
  });
}

/**
 * out [rows, width] = 0 but for factor[r] values[r, j] at ids[r, j], added where an id comes twice. Where none does, a row longer than `clip`
 * is scaled down to it (0: never); stats [rows, 4] = (the norm before, 0, the first id, 0).
 */
export function scatterTokens(
  gpu: Gpu,
  { ids, values }: FewTokens,
  factor: Tensor,
  out: Tensor,
  clip: number,
  stats: Tensor,
): void {
  const { rows, cols: ldz } = asMatrix(out);
  const { cols: k } = asMatrix(ids);
  for (const one of [ids, values]) expectShape("scatter tokens", one, [rows, k]);
  expectShape("scatter tokens", factor, [rows]);
  expectShape("scatter tokens", stats, [rows, 4]);
  gpu.commands.zero(out);
  const S = gpu.subgroupSize;
  const kernel = { label: "scatter_few", code: () => `const S = ${S}u;\n${scatterCode}` };
  run(gpu, kernel, [ids, values, factor, out, stats], { rows, ldz, k, clip }, grid(Math.ceil(rows / S)));
}

/**
 * The score of tokens drawn one apart from another: weights p [rows, width] of a mixture, as `choose` makes them of logits at tau, become
 * factor (sum of the tokens' one-hot rows - k p) / tau, bounded as by {@link scatterTokens}; stats [rows, 4] = (the norm before, ln p of the most probable token as `choose` put
 * it into `record`, whose rows info u32 [rows, 4] names, the first token, 0).
 */
export function drawsScore(
  gpu: Gpu,
  weights: Tensor,
  vocab: number,
  tau: number,
  ids: Tensor,
  factor: Tensor,
  clip: number,
  stats: Tensor,
  info: Tensor,
  record: StepRecord,
): void {
  const { rows, cols: ldz } = asMatrix(weights);
  const { cols: k } = asMatrix(ids);
  expectShape("draws' score", ids, [rows, k]);
  expectShape("draws' score", factor, [rows]);
  expectShape("draws' score", stats, [rows, 4]);
  const kernel = vocabularyKernel("draws_score", vocab, () => drawsScoreCode);
  run(
    gpu,
    kernel,
    [weights, ids, factor, stats, info, record.stats],
    { rows, vocab, ldz, k, tau, clip },
    grid(rows),
  );
}
