import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type Matrix, rowsOfChunk, widthOf } from "../../matrix.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { choose, type StepRecord } from "../choose/choose.ts";
import { gather, loadFunction, NO_ROW } from "../gather/gather.ts";
import type { DrawAddress } from "../mixture/noise.ts";
import { freeBindings } from "../wgsl/free_bindings.ts";
import { vectorPrelude } from "../wgsl/vector_prelude.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import cosinesCode from "./cosines.wgsl" with { type: "text" };
import { type FewTokens, MOST_FEW, type Weighting } from "./few_tokens.ts";
import largestCode from "./largest.wgsl" with { type: "text" };
import mixedTopCode from "./mixed_top.wgsl" with { type: "text" };
import neighboursCode from "./neighbours.wgsl" with { type: "text" };
import withoutCode from "./without_mixed.wgsl" with { type: "text" };

/** Which steps mix neighbours: a share `rho`, by a uniform number of their own, the same in rollout and training. */
export interface MixedSteps {
  /** 0 to 1. */
  rho: number;
  /** The stream of random numbers that decides (`Domain`). */
  domain: number;
}

const NO_ROW_CODE = `const NO_ROW = ${NO_ROW}u;\n`;

/**
 * Draws a token of each row of logits z [rows, width] as `choose` does, and decides beside which steps mix: one dispatch.
 * @param drawn u32 [rows]
 * @param top u32 [rows]: the most probable token where the step mixes, else NO_ROW
 */
export function drawBesideTop(
  gpu: Gpu,
  z: Tensor,
  vocab: number,
  tau: number,
  { info, shift, key }: DrawAddress,
  { rho, domain: mixing }: MixedSteps,
  record: StepRecord,
  drawn: Tensor,
  top: Tensor,
): void {
  expectShape("draw beside top", top, drawn.shape);
  choose(gpu, "sample", z, vocab, tau, info, shift, record, drawn, key, {
    name: "draw_beside_top",
    fields: " mixing: u32, rho: f32,",
    code: NO_ROW_CODE + mixedTopCode,
    tensors: [top],
    params: { mixing, rho },
  });
}

/** Rows of steps that a workgroup of the cosines looks through. */
const TILE = 16;

/**
 * near[r, v] = how near row v of E [V, d] is to that of token top[r], by cosine: only for rows r whose step mixes, so that the product costs a share
 * rho of an LM head's. The token itself is the nearest. near [rows, width], top u32 [rows] as {@link drawBesideTop} leaves it.
 */
export function nearRows(gpu: Gpu, embedding: Matrix, top: Tensor, near: Tensor): void {
  const { rows, cols: ldn } = asMatrix(near);
  const { cols: d, dtype, scales, chunks } = embedding;
  expectShape("near rows", top, [rows]);
  if (d % 4 !== 0) throw new Error(`Cannot compare rows of ${d}: the width must be a multiple of 4`);
  using scratch = gpu.arena.scratch();
  const q = scratch.f32([rows, d], "rows of tokens");
  gather(gpu, embedding, top, q);
  const code = () =>
    `const TILE = ${TILE}u;\n` + NO_ROW_CODE + vectorPrelude(true, gpu.subgroupSize) +
    loadFunction(dtype, true) + freeBindings(cosinesCode, scales !== undefined);
  chunks.forEach((chunk, i) => {
    const sourceRows = rowsOfChunk(embedding, i);
    const params = { rows, d, width: widthOf(embedding), sourceRows, base: i * embedding.chunkRows, ldn };
    const tensors = [chunk, q, near, ...(scales ? [scales[i]] : []), top];
    const groups = Math.ceil(sourceRows / 4) * Math.ceil(rows / TILE);
    run(gpu, { label: `cosines_${dtype}`, code }, tensors, params, grid(groups));
  });
}

/** How a mixed step weighs its tokens: 1 / k each, or softmax(z / tau) among them. */
export interface NeighbourWeighing {
  weighting: Weighting;
  tau: number;
}

/**
 * The tokens [rows, k] of each row's step with their weights: where it mixes (`top`) the most probable one and its k - 1 nearest, by what
 * {@link nearRows} left; else the token that `record` holds, alone. The token becomes, or stays, the step's in `record`. z [rows, width].
 * @param vocab columns that are real tokens
 * @param info u32 [rows, 4]: its first column names the rows of the record
 * @throws Error if k is not 1 to {@link MOST_FEW} and at most `vocab`
 */
export function mixNeighbours(
  gpu: Gpu,
  near: Tensor,
  z: Tensor,
  vocab: number,
  { weighting, tau }: NeighbourWeighing,
  info: Tensor,
  top: Tensor,
  record: StepRecord,
  { ids, values }: FewTokens,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  if (!(k >= 1 && k <= Math.min(MOST_FEW, vocab))) {
    throw new Error(
      `Cannot mix the ${k} nearest of ${vocab} tokens: 1 to ${MOST_FEW}, at most all, are possible`,
    );
  }
  expectShape("mix neighbours", near, [rows, ldz]);
  expectShape("mix neighbours", values, [rows, k]);
  expectShape("mix neighbours", info, [rows, 4]);
  expectShape("mix neighbours", top, [rows]);
  const kernel = vocabularyKernel(
    "neighbours",
    vocab,
    () =>
      `const MOST_FEW = ${MOST_FEW};\n${NO_ROW_CODE}${neighboursCode}\n` +
      largestCode.replaceAll("LANE_MEMORY", "workgroup"),
  );
  const params = {
    ...{ rows, vocab, ldz, k, columns: record.tokens.shape[1], column: record.column },
    ...{ tau, weighted: weighting === "uniform" ? 0 : 1 },
  };
  run(gpu, kernel, [near, info, ids, values, record.tokens, z, top], params, grid(rows));
}

/** out [rows] = factor [rows], but 0 where the step mixes: it carries no action. top as {@link drawBesideTop} leaves it. */
export function withoutMixed(gpu: Gpu, factor: Tensor, top: Tensor, out: Tensor): void {
  const [rows] = out.shape;
  expectShape("without mixed", factor, [rows]);
  expectShape("without mixed", top, [rows]);
  const code = () => NO_ROW_CODE + withoutCode;
  run(gpu, { label: "without_mixed", code }, [top, factor, out], { rows }, grid(Math.ceil(rows / 64)));
}
