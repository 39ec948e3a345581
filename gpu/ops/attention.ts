import type { Gpu } from "../device.ts";
import { run, spread } from "../kernel.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../tensor.ts";
import { rowsForward, tilesBackwardKV, tilesBackwardQ, tilesForward, turnOf } from "./attention_source.ts";
import type { Heads } from "./rotary.ts";

/** Keys and values [keys, kvHeads hd] of one layer: a cache, or the packed rows themselves. */
export interface KeysValues {
  k: Tensor;
  v: Tensor;
}

/** What the kernels know of the rows: rowMeta [rows, 4] and tiles [tiles, 4], as `model/packing.ts` makes them. */
export interface AttentionLayout {
  rowMeta: Tensor;
  tiles: Tensor;
}

const source = (gpu: Gpu, name: string, heads: Heads, make: typeof rowsForward) => {
  const shape = { headDim: heads.headDim, group: heads.heads / heads.kvHeads };
  return {
    label: `attention_${name}_${shape.headDim}_${shape.group}`,
    code: () => make(shape, { subgroup: gpu.subgroupSize, wide: gpu.wideLoads }),
  };
};

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
});

const perTile = (tiles: Tensor, heads: number): [number, number] => [sizeOf(tiles.shape) / 4, heads];

/** Attention of rows that each have keys of their own: decoding, `shift` positions on. q, out [rows, heads hd]. */
export function attentionRows(
  gpu: Gpu,
  heads: Heads,
  q: Tensor,
  kv: KeysValues,
  rowMeta: Tensor,
  out: Tensor,
  shift = 0,
): void {
  const { rows } = asMatrix(q);
  expectShape("attention", out, q.shape);
  run(
    gpu,
    source(gpu, "rows", heads, rowsForward),
    [q, kv.k, kv.v, rowMeta, out],
    scalars(heads, rows, shift),
    spread(Math.ceil(rows * heads.heads / gpu.subgroupSize)),
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
  run(
    gpu,
    source(gpu, "tiles", heads, tilesForward),
    [q, kv.k, kv.v, layout.rowMeta, layout.tiles, out, lse],
    scalars(heads, rows),
    perTile(layout.tiles, heads.heads),
  );
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
  run(
    gpu,
    source(gpu, "backward_q", heads, tilesBackwardQ),
    [q, kv.k, kv.v, layout.rowMeta, layout.tiles, out, lse, dout, dq, rowDot],
    scalars(heads, rows),
    perTile(layout.tiles, heads.heads),
  );
  // A prompt's keys are seen by all rows of its group, through each head that shares them: keep each loop short.
  const span = Math.floor(MAX_LOOPS * heads.kvHeads / heads.heads) * turnOf(heads.headDim).rows;
  for (let skip = 0; skip < rows; skip += span) {
    run(
      gpu,
      source(gpu, "backward_kv", heads, tilesBackwardKV),
      [q, kv.k, kv.v, layout.tiles, lse, dout, rowDot, dkv.k, dkv.v],
      { ...scalars(heads, rows), skip, span },
      perTile(layout.tiles, heads.kvHeads),
    );
  }
}
