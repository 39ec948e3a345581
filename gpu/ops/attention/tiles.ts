import type { Gpu } from "../../gpu.ts";
import { run } from "../../kernel.ts";
import { asMatrix, expectShape, sizeOf, type Tensor } from "../../tensor.ts";
import type { Heads } from "../heads.ts";
import { attentionKernel, type AttentionParams, attentionParams } from "./kernel.ts";
import { type AttentionDevice, type AttentionShape, blockOf, type KeysValues } from "./shape.ts";
import { tilesBackwardKV } from "./tiles_backward_kv.ts";
import { tilesBackwardQ } from "./tiles_backward_q.ts";
import { tilesForward } from "./tiles_forward.ts";

/** What the kernels know of the rows: rowMeta [rows, 4] and tiles [tiles, 4], as `model/transformer/packing.ts` makes them. */
export interface AttentionLayout {
  rowMeta: Tensor;
  tiles: Tensor;
  /** Tiles at the front that have more rows than a subgroup has lanes, at most twice as many; 0 if left out. */
  doubles?: number;
}

/**
 * Attention of packed rows in tiles: prefill and training, equal to `attentionRows` to the bit.
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
  runTiles(gpu, "tiles", heads, tilesForward, 64, layout, tensors, attentionParams(heads, rows), "heads");
}

/** What the forward pass of {@link attentionTiles} leaves to its backward. */
interface AttentionSaved {
  q: Tensor;
  kv: KeysValues;
  out: Tensor;
  lse: Tensor;
}

// The software device ends loops after 65,535 iterations in silence.
const MAX_LOOPS = 32768;

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
  const delta = scratch.f32([rows, heads.heads], "attention delta");
  const forQ = [q, kv.k, kv.v, layout.rowMeta, layout.tiles, out, lse, dout, dq, delta];
  const all = attentionParams(heads, rows);
  runTiles(gpu, "backward_q", heads, tilesBackwardQ, 64, layout, forQ, all, "heads");
  // A prompt's keys are seen by all rows of its group, through each head that shares them: keep each loop short.
  const span = Math.floor(MAX_LOOPS * heads.kvHeads / heads.heads) * blockOf(heads.headDim).rows;
  const forKV = [q, kv.k, kv.v, layout.tiles, lse, dout, delta, dkv.k, dkv.v];
  for (let skip = 0; skip < rows; skip += span) {
    runTiles(
      gpu,
      "backward_kv",
      heads,
      tilesBackwardKV,
      32,
      layout,
      forKV,
      { ...all, skip, span },
      "kvHeads",
    );
  }
}

type TilesSource = (shape: AttentionShape, device: AttentionDevice, rows: 1 | 2) => string;

/**
 * Runs a kernel on all tiles: those of more rows than lanes with two rows a lane, so that what is broadcast to the lanes serves
 * both; in two halves where heads are so wide that the software device's compiler would take many seconds for half the
 * gain (above `widest`), and on GPUs, whose lanes have no registers for two rows: there the others are cut as well, into themselves and
 * nothing, so that all are one dispatch.
 */
function runTiles(
  gpu: Gpu,
  name: string,
  heads: Heads,
  make: TilesSource,
  widest: number,
  layout: AttentionLayout,
  tensors: readonly Tensor[],
  params: AttentionParams,
  perHead: "heads" | "kvHeads",
): void {
  const count = sizeOf(layout.tiles.shape) / 4;
  const doubles = layout.doubles ?? 0;
  const two = gpu.matmulFamily === "broadcast" && heads.headDim <= widest;
  const part = (firstTile: number, tiles: number, rows: 1 | 2, cut: 1 | 2) =>
    run(
      gpu,
      attentionKernel(
        gpu,
        rows === 2 ? `${name}_two` : name,
        heads,
        (shape, device) => make(shape, device, rows),
      ),
      tensors,
      { ...params, firstTile, cut },
      [tiles * cut, heads[perHead]],
    );
  if (!two) return part(0, count, 1, doubles > 0 ? 2 : 1);
  part(0, doubles, 2, 1);
  part(doubles, count - doubles, 1, 1);
}
