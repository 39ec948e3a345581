import { UserError } from "../../errors.ts";
import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { suitsVec8 } from "../wgsl/vec8.ts";
import type { Heads } from "../heads.ts";
import { addInto } from "../elementwise/elementwise.ts";
import { headNorm, type HeadNormWeights } from "../norm/head_norm.ts";
import { rotary } from "../rotary/rotary.ts";
import { groupForward } from "./decode_groups.ts";
import { rowsForward } from "./decode_rows.ts";
import { MOST_THREADS, teamBytes, teamsForward, teamThreads } from "./decode_teams.ts";
import { workgroupsPerGroup } from "./group_code.ts";
import { attentionKernel, attentionParams, shapeOf, splitOf } from "./kernel.ts";
import type { KeysValues } from "./shape.ts";
import { mergeSplits } from "./merge_splits.ts";

/**
 * Whether, on a software device, a subgroup takes a row and key/value head, or a lane a row and head, which fills lanes better where
 * heads share no keys.
 */
const byGroup = (gpu: Gpu, { heads, kvHeads }: Heads, rows: number): boolean =>
  heads > kvHeads || rows * heads < 2 * gpu.subgroupSize;

/** Attention of rows that each have keys of their own: decoding, `shift` positions on. q, out [rows, heads hd]. */
export function attentionRows(
  gpu: Gpu,
  heads: Heads,
  q: Tensor,
  kv: KeysValues,
  rowMeta: Tensor,
  out: Tensor,
  shift = 0,
  by: "rows" | "groups" = byGroup(gpu, heads, asMatrix(q).rows) ? "groups" : "rows",
): void {
  const { rows } = asMatrix(q);
  expectShape("attention", out, q.shape);
  if (gpu.matmulFamily === "tile") return attentionTeams(gpu, heads, rows, { q }, kv, rowMeta, out, shift);
  const tensors = [q, kv.k, kv.v, rowMeta, out];
  const params = attentionParams(heads, rows, shift);
  if (by === "rows") {
    const groups = grid(Math.ceil(rows * heads.heads / gpu.subgroupSize));
    return run(gpu, attentionKernel(gpu, "rows", heads, rowsForward), tensors, params, groups);
  }
  const workgroups = rows * heads.kvHeads * workgroupsPerGroup(shapeOf(heads));
  run(
    gpu,
    attentionKernel(gpu, "groups", heads, (shape, device) => groupForward(shape, device)),
    tensors,
    params,
    grid(workgroups),
  );
}

/** Projections of rows that are decoded, and what rotates and keeps them. */
interface Projections {
  /** [rows, (heads + 2 kvHeads) hd]. */
  qkv: Tensor;
  /** [(heads + 2 kvHeads) hd], added before they are rotated. */
  bias?: Tensor;
  /** Norms of the heads of Q and K, before they are rotated. */
  headNorm?: { weights: HeadNormWeights; eps: number };
  /** Positions' cosines and sines, as `model/transformer/rope_table.ts` makes them. */
  table: Tensor;
  /** Room for the queries [rows, heads hd]. */
  q: Tensor;
}

/**
 * `headNorm`, `rotary` and {@link attentionRows}: of decoding, from the projections on, which are overwritten. One dispatch on GPUs, and on software devices where a
 * subgroup takes all that share a key/value head; the same bits as two.
 * @param longest keys that a row has at most; all there are if left out
 */
export function attentionOfProjections(
  gpu: Gpu,
  heads: Heads,
  projections: Projections,
  kv: KeysValues,
  rowMeta: Tensor,
  out: Tensor,
  shift: number,
  longest?: number,
): void {
  const { bias, headNorm: norm, table, q } = projections;
  const { rows } = asMatrix(q);
  if (gpu.matmulFamily === "tile" && heads.headDim % 8 === 0 && !(bias && norm)) {
    return attentionTeams(gpu, heads, rows, projections, kv, rowMeta, out, shift, longest);
  }
  if (norm) {
    using scratch = gpu.arena.scratch();
    const { qkv, headNorm: _, bias: __, ...rest } = projections;
    const normed = scratch.f32(qkv.shape, "qkv");
    if (bias) addInto(gpu, qkv, bias);
    headNorm(gpu, heads, qkv, norm.weights, norm.eps, normed);
    const after = { ...rest, qkv: normed };
    return attentionOfProjections(gpu, heads, after, kv, rowMeta, out, shift, longest);
  }
  const { qkv } = projections;
  const fused = suitsVec8(gpu) && heads.headDim % 64 === 0 && workgroupsPerGroup(shapeOf(heads)) === 1 &&
    byGroup(gpu, heads, rows);
  if (!fused) {
    rotary(gpu, heads, qkv, rowMeta, table, q, kv.k, kv.v, shift, bias);
    return attentionRows(gpu, heads, q, kv, rowMeta, out, shift);
  }
  const kernel = attentionKernel(
    gpu,
    `rotary_groups${bias ? "_bias" : ""}`,
    heads,
    (shape, device) => groupForward(shape, device, { bias: bias !== undefined }),
  );
  const tensors = [q, kv.k, kv.v, rowMeta, out, qkv, table, ...(bias ? [bias] : [])];
  run(gpu, kernel, tensors, attentionParams(heads, rows, shift), grid(rows * heads.kvHeads));
}

// Teams of lanes that keep a large GPU busy: some for each quarter of its 60 to 130 processors.
const BUSY = 2048;
// Splits up to which another dispatch, to add up those of several workgroups, would cost more than it saves: 4,096 keys.
const MOST_SPLITS = 32;

/** Splits that a workgroup folds side by side: few sizes, so that few kernels are compiled. */
function slotsFor({ workgroups, subgroupSize }: Gpu, heads: Heads, rows: number, splits: number): number {
  const shape = shapeOf(heads);
  const most = Math.min(splits, BUSY / (rows * heads.kvHeads));
  const fits = (slots: number) =>
    teamThreads(shape, subgroupSize, slots) <= Math.min(MOST_THREADS, workgroups.threads) &&
    teamBytes(shape, slots) <= workgroups.bytes;
  if (!fits(1)) {
    const { headDim, group } = shape;
    throw new UserError(
      `Cannot decode on this device: ${group} query heads of ${headDim} numbers share a key/value head, more than its workgroups have room for`,
      "another device, or a model with more key/value heads",
    );
  }
  return [[16, 8].find(fits) ?? 4, 4].find((slots) => slots < 4 * most && fits(slots)) ?? 1;
}

/** Decoding on GPUs, from queries or from the projections on; very long texts in workgroups for some splits each, which are then merged. */
function attentionTeams(
  gpu: Gpu,
  heads: Heads,
  rows: number,
  from: { q: Tensor } | Projections,
  kv: KeysValues,
  rowMeta: Tensor,
  out: Tensor,
  shift: number,
  longest = asMatrix(kv.k).rows,
): void {
  const { heads: h, kvHeads, headDim } = heads;
  const projected = "qkv" in from;
  const { bias, headNorm: norm } = projected ? from : {};
  const inputs = projected ? [from.qkv, from.table] : [from.q];
  if (bias) inputs.push(bias);
  if (norm) inputs.push(norm.weights.q, norm.weights.k);
  const tensors = [...inputs, kv.k, kv.v, rowMeta];
  const splits = Math.ceil(longest / splitOf(gpu)!);
  const slots = slotsFor(gpu, heads, rows, splits);
  const rounds = Math.ceil(splits / slots);
  const params = attentionParams(heads, rows, shift);
  const groups = grid(rows * kvHeads);
  const kernel = (partial: boolean) =>
    attentionKernel(
      gpu,
      [
        ...["teams", slots, projected && "rotary", bias && "bias", norm && `norm_${norm.eps}`],
        partial && "partial",
      ].filter(Boolean).join("_"),
      heads,
      (shape, device) =>
        teamsForward(shape, device, {
          slots,
          partial,
          ...(projected ? { rotary: { bias: bias !== undefined, headNorm: norm?.eps } } : {}),
        }),
    );
  const bytes = rows * h * splits * headDim * 4;
  const idle = rows * kvHeads * slots < BUSY;
  if (splits <= MOST_SPLITS || !idle || rounds > 65535 || bytes > gpu.maxBinding) {
    return run(gpu, kernel(false), [...tensors, out], params, groups);
  }
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([rows, h, splits, headDim], "attention partial");
  const stats = scratch.f32([rows, h, splits, 2], "attention partial sums");
  const all = { ...params, splits };
  run(gpu, kernel(true), [...tensors, partial, stats], all, [...groups, rounds]);
  const merge = attentionKernel(gpu, "merge", heads, mergeSplits);
  run(gpu, merge, [partial, stats, rowMeta, out], all, grid(rows * h));
}
