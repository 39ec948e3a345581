import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import type { DrawAddress } from "../mixture/noise.ts";
import type { StepRecord } from "../choose/choose.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import deviationCode from "./row_deviation.wgsl" with { type: "text" };
import drawsScoreCode from "./draws_score.wgsl" with { type: "text" };
import drawCode from "./draw_tokens.wgsl" with { type: "text" };
import scatterCode from "./scatter_few.wgsl" with { type: "text" };

/** Tokens of each row with a number each. */
export interface FewTokens {
  /** u32 [rows, k]. */
  ids: Tensor;
  /** f32 [rows, k]. */
  values: Tensor;
}

/** How much of a mixture each of a few tokens is: the same, or as its probability among them says. */
export const WEIGHTINGS = ["uniform", "probability"] as const;

/** One of {@link WEIGHTINGS}. */
export type Weighting = typeof WEIGHTINGS[number];

/**
 * Draws tokens of each row, one apart from another, from weights [rows, width] that `choose` made of logits; their values
 * become 1 / k, or weights that sum to 1. The first becomes the step's token in `record`.
 */
export function drawTokens(
  gpu: Gpu,
  weights: Tensor,
  vocab: number,
  at: DrawAddress,
  record: StepRecord,
  { ids, values }: FewTokens,
  weighting: Weighting = "uniform",
): void {
  const { rows, cols: ldz } = asMatrix(weights);
  const { cols: k } = asMatrix(ids);
  expectShape("draw tokens", values, [rows, k]);
  expectShape("draw tokens", at.info, [rows, 4]);
  const kernel = vocabularyKernel("draw_tokens", vocab, () => randomSource + drawCode);
  const place = { columns: record.tokens.shape[1], column: record.column };
  const params = {
    rows,
    vocab,
    ldz,
    k,
    ...place,
    shift: at.shift,
    ...at.key,
    weighted: weighting === "uniform" ? 0 : 1,
  };
  run(gpu, kernel, [weights, at.info, record.tokens, ids, values], params, grid(rows));
}

/**
 * out [rows, width] = 0 but for factor[r] values[r, j] at ids[r, j], added where an id comes twice; a row longer than `clip` is scaled
 * down to it (0: never). stats [rows, 4] = (the norm before, 0, the first id, 0).
 */
export function scatterTokens(
  gpu: Gpu,
  { ids, values }: FewTokens,
  factor: Tensor,
  out: Tensor,
  vocab: number,
  clip: number,
  stats: Tensor,
): void {
  const { rows, cols: ldz } = asMatrix(out);
  const { cols: k } = asMatrix(ids);
  for (const one of [ids, values]) expectShape("scatter tokens", one, [rows, k]);
  expectShape("scatter tokens", factor, [rows]);
  expectShape("scatter tokens", stats, [rows, 4]);
  const kernel = vocabularyKernel("scatter_few", vocab, () => scatterCode);
  run(gpu, kernel, [ids, values, factor, out, stats], { rows, ldz, k, clip }, grid(rows));
}

/**
 * The score of tokens drawn one apart from another: logits z [rows, width] become factor (sum of their one-hot rows - k p) / tau, p =
 * softmax(z / tau), bounded as by {@link scatterTokens}; stats [rows, 4] = (the norm before, ln p of the most probable token as `choose` put
 * it into `record`, whose rows info u32 [rows, 4] names, the first token, 0).
 */
export function drawsScore(
  gpu: Gpu,
  z: Tensor,
  vocab: number,
  tau: number,
  ids: Tensor,
  factor: Tensor,
  clip: number,
  stats: Tensor,
  info: Tensor,
  record: StepRecord,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  expectShape("draws' score", ids, [rows, k]);
  expectShape("draws' score", factor, [rows]);
  expectShape("draws' score", stats, [rows, 4]);
  const kernel = vocabularyKernel("draws_score", vocab, () => drawsScoreCode);
  run(
    gpu,
    kernel,
    [z, ids, factor, stats, info, record.stats],
    { rows, vocab, ldz, k, tau, clip },
    grid(rows),
  );
}

/** out[rows] = root mean square over dimensions of (a - b) / unit, a and b [rows, d]: exactly 0 where both have the same bits. */
export function rowDeviation(gpu: Gpu, a: Tensor, b: Tensor, unit: number, out: Tensor): void {
  const { rows, cols: d } = asMatrix(a);
  expectShape("row deviation", b, a.shape);
  expectShape("row deviation", out, [rows]);
  if (d % 4 !== 0) throw new Error(`Cannot compare rows of ${d}: the width must be a multiple of 4`);
  const code = () => `const S = ${gpu.subgroupSize}u;\n${deviationCode}`;
  run(gpu, { label: "row_deviation", code }, [a, b, out], { rows, d, unit }, grid(rows));
}
