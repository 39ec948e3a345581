import type { Gpu } from "../../gpu.ts";
import { run, spread } from "../../kernel.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../../tensor.ts";
import { type AttentionDevice, type AttentionShape, turnOf } from "./attention_parts.ts";
import { groupForward, mergeParts, rowParts, rowsForward } from "./attention_rows_source.ts";
import { tilesBackwardKV, tilesBackwardQ, tilesForward } from "./attention_tiles_source.ts";
import { takesVec8 } from "../wgsl/vec8.ts";
import type { Heads } from "../rotary/heads.ts";
import { rotary } from "../rotary/rotary.ts";

/** Keys and values [keys, kvHeads hd] of one layer: a cache, or the packed rows themselves. */
export interface KeysValues {
  k: Tensor;
  v: Tensor;
}

/** What the kernels know of the rows: rowMeta [rows, 4] and tiles [tiles, 4], as `model/transformer/packing.ts` makes them. */
export interface AttentionLayout {
  rowMeta: Tensor;
  tiles: Tensor;
  /** Tiles at the front that have more rows than a subgroup has lanes, at most twice as many; 0 if left out. */
  doubles?: number;
}

const source = (
  gpu: Gpu,
  name: string,
  heads: Heads,
  make: (shape: AttentionShape, device: AttentionDevice) => string,
) => {
  const shape = shapeOf(heads);
  return {
    label: `attention_${name}_${shape.headDim}_${shape.group}`,
    code: () => make(shape, { subgroup: gpu.subgroupSize, u64: gpu.u64Loads, split: splitOf(gpu) }),
  };
};

/** Keys that are folded apart: on GPUs alone, so that decoding a few rows of a long context has work for all of it. */
const splitOf = (gpu: Gpu): number | undefined => gpu.matmulFamily === "tile" ? 128 : undefined;

// Workgroups that keep a GPU busy.
const BUSY = 512;

const shapeOf = ({ heads, kvHeads, headDim }: Heads): AttentionShape => ({ headDim, group: heads / kvHeads });

// The software device ends loops after 65,535 turns in silence.
const MAX_LOOPS = 32768;

const scalars = (heads: Heads, rows: number, shift = 0) => ({
  shift,
  rows,
  heads: heads.heads,
  kvHeads: heads.kvHeads,
  scale: 1 / Math.sqrt(heads.headDim),
  skip: 0,
  span: rows,
  firstTile: 0,
  cut: 1,
  splits: 1,
});

type TilesSource = (shape: AttentionShape, device: AttentionDevice, rows: 1 | 2) => string;

/**
 * Runs a kernel on all tiles: those of more rows than lanes with two rows a lane, so that what is handed round to the lanes serves
 * both; in two halves where heads are so wide that the software device's compiler would take many seconds for half the
 * gain (above `widest`), and on GPUs, whose lanes have no registers for two rows.
 */
function runTiles(
  gpu: Gpu,
  name: string,
  heads: Heads,
  make: TilesSource,
  widest: number,
  layout: AttentionLayout,
  tensors: readonly Tensor[],
  params: ReturnType<typeof scalars>,
  perHead: "heads" | "kvHeads",
): void {
  const count = sizeOf(layout.tiles.shape) / 4;
  const doubles = layout.doubles ?? 0;
  const two = gpu.matmulFamily === "broadcast" && heads.headDim <= widest;
  const part = (firstTile: number, tiles: number, rows: 1 | 2, cut: 1 | 2) =>
    run(
      gpu,
      source(gpu, rows === 2 ? `${name}_two` : name, heads, (shape, device) => make(shape, device, rows)),
      tensors,
      { ...params, firstTile, cut },
      [tiles * cut, heads[perHead]],
    );
  if (two) part(0, doubles, 2, 1);
  else part(0, doubles, 1, 2);
  part(doubles, count - doubles, 1, 1);
}

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
  const params = scalars(heads, rows, shift);
  if (by === "groups") return attentionGroups(gpu, heads, tensors, params);
  const groups = spread(Math.ceil(rows * heads.heads / gpu.subgroupSize));
  run(gpu, source(gpu, "rows", heads, rowsForward), tensors, params, groups);
}

/** Projections of rows that are decoded, and what turns and keeps them. */
export interface Projections {
  /** [rows, (heads + 2 kvHeads) hd]. */
  qkv: Tensor;
  /** [(heads + 2 kvHeads) hd], added before they are turned. */
  bias?: Tensor;
  /** Positions' cosines and sines, as `model/transformer/packing.ts` makes them. */
  table: Tensor;
  /** Room for the queries [rows, heads hd]. */
  q: Tensor;
}

/**
 * {@link rotary} and {@link attentionRows}: of decoding, from the projections on. One dispatch on software devices where a
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
  const together = takesVec8(gpu) && heads.headDim % 64 === 0 && rowParts(shapeOf(heads)) === 1 &&
    splitOf(gpu) === undefined && byGroup(gpu, heads, rows);
  if (!together) {
    rotary(gpu, heads, qkv, rowMeta, table, q, kv.k, kv.v, shift, bias);
    return attentionRows(gpu, heads, q, kv, rowMeta, out, shift);
  }
  const turned = { bias: bias !== undefined };
  const kernel = source(
    gpu,
    `turned_groups${bias ? "_bias" : ""}`,
    heads,
    (shape, device) => groupForward(shape, device, { turned }),
  );
  const tensors = [q, kv.k, kv.v, rowMeta, out, qkv, table, ...(bias ? [bias] : [])];
  run(gpu, kernel, tensors, scalars(heads, rows, shift), spread(rows * heads.kvHeads));
}

/** The same by groups of heads; where those are few, splits of the keys are workgroups of their own, and are merged. */
function attentionGroups(
  gpu: Gpu,
  heads: Heads,
  tensors: readonly Tensor[],
  params: ReturnType<typeof scalars>,
): void {
  const [q, k, v, rowMeta, out] = tensors;
  const { rows } = asMatrix(q);
  const workgroups = rows * heads.kvHeads * rowParts(shapeOf(heads));
  const split = splitOf(gpu);
  // No position lies further than all keys there are.
  const splits = split ? Math.ceil(asMatrix(k).rows / split) : 1;
  const bytes = sizeOf(q.shape) * splits * 4;
  if (splits === 1 || workgroups >= BUSY || splits > 65535 || bytes > gpu.maxBinding) {
    return run(gpu, source(gpu, "groups", heads, groupForward), tensors, params, spread(workgroups));
  }
  using scratch = gpu.arena.scratch();
  const part = scratch.f32([rows, heads.heads, splits, heads.headDim], "attention parts");
  const stats = scratch.f32([rows, heads.heads, splits, 2], "attention part sums");
  const forPart = (shape: AttentionShape, device: AttentionDevice) =>
    groupForward(shape, device, { parts: true });
  const all = { ...params, splits };
  run(gpu, source(gpu, "parts", heads, forPart), [q, k, v, rowMeta, part, stats], all, [
    ...spread(workgroups),
    splits,
  ]);
  run(
    gpu,
    source(gpu, "merge", heads, mergeParts),
    [part, stats, rowMeta, out],
    all,
    spread(rows * heads.heads),
  );
}

/**
 * Attention of packed rows in tiles: prefill and training, equal to {@link attentionRows} to the bit.
 * lse [rows, heads] is kept for the backward pass.
 */
export function attentionTiles(
  gpu: Gpu,
  heads: Heads,
  q: Tensor,
  kv: KeysValues,
  layout: AttentionLayout,
  out: Tensor,
  lse: Tensor,
): void {
  const { rows } = asMatrix(q);
  expectShape("attention", out, q.shape);
  expectShape("attention", lse, [rows, heads.heads]);
  const tensors = [q, kv.k, kv.v, layout.rowMeta, layout.tiles, out, lse];
  runTiles(gpu, "tiles", heads, tilesForward, 64, layout, tensors, scalars(heads, rows), "heads");
}

/** What the forward pass of {@link attentionTiles} leaves to its backward. */
export interface AttentionSaved {
  q: Tensor;
  kv: KeysValues;
  out: Tensor;
  lse: Tensor;
}

/** dq, dk, dv from dout [rows, heads hd]; keys are the packed rows. Prefix keys sum over all rows of their group. */
export function attentionBackward(
  gpu: Gpu,
  heads: Heads,
  saved: AttentionSaved,
  layout: AttentionLayout,
  dout: Tensor,
  dq: Tensor,
  dkv: KeysValues,
): void {
  const { q, kv, out, lse } = saved;
  const { rows } = asMatrix(q);
  expectShape("attention_backward", dout, q.shape);
  expectShape("attention_backward", dkv.k, kv.k.shape);
  using scratch = gpu.arena.scratch();
  const rowDot = scratch.f32([rows, heads.heads], "attention rowDot");
  const forQ = [q, kv.k, kv.v, layout.rowMeta, layout.tiles, out, lse, dout, dq, rowDot];
  runTiles(gpu, "backward_q", heads, tilesBackwardQ, 64, layout, forQ, scalars(heads, rows), "heads");
  // A prompt's keys are seen by all rows of its group, through each head that shares them: keep each loop short.
  const span = Math.floor(MAX_LOOPS * heads.kvHeads / heads.heads) * turnOf(heads.headDim).rows;
  const forKV = [q, kv.k, kv.v, layout.tiles, lse, dout, rowDot, dkv.k, dkv.v];
  for (let skip = 0; skip < rows; skip += span) {
    const params = { ...scalars(heads, rows), skip, span };
    runTiles(gpu, "backward_kv", heads, tilesBackwardKV, 32, layout, forKV, params, "kvHeads");
  }
}
