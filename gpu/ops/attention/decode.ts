import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../../tensor.ts";
import { suitsVec8 } from "../wgsl/vec8.ts";
import type { Heads } from "../heads.ts";
import { rotary } from "../rotary/rotary.ts";
import { groupForward, workgroupsPerGroup } from "./decode_groups.ts";
import { rowsForward } from "./decode_rows.ts";
import { attentionKernel, type AttentionParams, attentionParams, shapeOf, splitOf } from "./kernel.ts";
import type { KeysValues } from "./shape.ts";
import { mergeSplits } from "./merge_splits.ts";

/** Whether a subgroup takes a row and key/value head, or a lane a row and head, which fills lanes better where heads share no keys. */
const byGroup = (gpu: Gpu, { heads, kvHeads }: Heads, rows: number): boolean =>
  gpu.matmulFamily === "tile" || heads > kvHeads || rows * heads < 2 * gpu.subgroupSize;

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
  const tensors = [q, kv.k, kv.v, rowMeta, out];
  const params = attentionParams(heads, rows, shift);
  if (by === "groups") return attentionGroups(gpu, heads, tensors, params);
  const groups = grid(Math.ceil(rows * heads.heads / gpu.subgroupSize));
  run(gpu, attentionKernel(gpu, "rows", heads, rowsForward), tensors, params, groups);
}

/** Projections of rows that are decoded, and what rotates and keeps them. */
interface Projections {
  /** [rows, (heads + 2 kvHeads) hd]. */
  qkv: Tensor;
  /** [(heads + 2 kvHeads) hd], added before they are rotated. */
  bias?: Tensor;
  /** Positions' cosines and sines, as `model/transformer/rope_table.ts` makes them. */
  table: Tensor;
  /** Room for the queries [rows, heads hd]. */
  q: Tensor;
}

/**
 * `rotary` and {@link attentionRows}: of decoding, from the projections on. One dispatch on software devices where a
 * subgroup takes all that share a key/value head; the same bits as two.
 */
export function attentionOfProjections(
  gpu: Gpu,
  heads: Heads,
  { qkv, bias, table, q }: Projections,
  kv: KeysValues,
  rowMeta: Tensor,
  out: Tensor,
  shift: number,
): void {
  const { rows } = asMatrix(q);
  const fused = suitsVec8(gpu) && heads.headDim % 64 === 0 && workgroupsPerGroup(shapeOf(heads)) === 1 &&
    splitOf(gpu) === undefined && byGroup(gpu, heads, rows);
  if (!fused) {
    rotary(gpu, heads, qkv, rowMeta, table, q, kv.k, kv.v, shift, bias);
    return attentionRows(gpu, heads, q, kv, rowMeta, out, shift);
  }
  const kernel = attentionKernel(
    gpu,
    `rotary_groups${bias ? "_bias" : ""}`,
    heads,
    (shape, device) => groupForward(shape, device, { rotary: { bias: bias !== undefined } }),
  );
  const tensors = [q, kv.k, kv.v, rowMeta, out, qkv, table, ...(bias ? [bias] : [])];
  run(gpu, kernel, tensors, attentionParams(heads, rows, shift), grid(rows * heads.kvHeads));
}

// Workgroups that keep a GPU busy.
const BUSY = 512;

/** The same by groups of heads; where those are few, splits of the keys are workgroups of their own, and are merged. */
function attentionGroups(
  gpu: Gpu,
  heads: Heads,
  tensors: readonly Tensor[],
  params: AttentionParams,
): void {
  const [q, k, v, rowMeta, out] = tensors;
  const { rows } = asMatrix(q);
  const workgroups = rows * heads.kvHeads * workgroupsPerGroup(shapeOf(heads));
  const split = splitOf(gpu);
  // No position lies further than all keys there are.
  const splits = split ? Math.ceil(asMatrix(k).rows / split) : 1;
  const bytes = sizeOf(q.shape) * splits * 4;
  if (splits === 1 || workgroups >= BUSY || splits > 65535 || bytes > gpu.maxBinding) {
    return run(
      gpu,
      attentionKernel(gpu, "groups", heads, groupForward),
      tensors,
      params,
      grid(workgroups),
    );
  }
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([rows, heads.heads, splits, heads.headDim], "attention partial");
  const stats = scratch.f32([rows, heads.heads, splits, 2], "attention partial sums");
  const forSplit = attentionKernel(
    gpu,
    "partial",
    heads,
    (shape, device) => groupForward(shape, device, { partial: true }),
  );
  const all = { ...params, splits };
  run(gpu, forSplit, [q, k, v, rowMeta, partial, stats], all, [...grid(workgroups), splits]);
  const merge = attentionKernel(gpu, "merge", heads, mergeSplits);
  run(gpu, merge, [partial, stats, rowMeta, out], all, grid(rows * heads.heads));
}
