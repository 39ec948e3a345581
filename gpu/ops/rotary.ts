import type { Gpu } from "../device.ts";
import { run, spread } from "../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../tensor.ts";
import forward from "./rotary.wgsl" with { type: "text" };
import backward from "./rotary_backward.wgsl" with { type: "text" };

/** How Q, K and V share a row. */
export interface Heads {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/**
 * Rotary positions and the cache write in one: qkv [rows, (heads + 2 kvHeads) hd] becomes q [rows, heads hd] and
 * rows of k, v [keys, kvHeads hd]; every position is `shift` further than its meta says. rowMeta [rows, 4] and table as `model/packing.ts` makes them.
 */
export function rotary(
  gpu: Gpu,
  shape: Heads,
  qkv: Tensor,
  rowMeta: Tensor,
  table: Tensor,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  shift = 0,
): void {
  const { heads, kvHeads, headDim: hd } = shape;
  const { rows } = asMatrix(qkv);
  expectShape("rotary", qkv, [rows, (heads + 2 * kvHeads) * hd]);
  expectShape("rotary", q, [rows, heads * hd]);
  run(
    gpu,
    { label: "rotary", code: () => forward },
    [qkv, rowMeta, table, q, k, v],
    { rows, heads, kvHeads, hd, shift },
    spread(Math.ceil(rows * (heads + 2 * kvHeads) * hd / 2 / 64)),
  );
}

/** dqkv from the gradients of {@link rotary}'s outputs; keys are the packed rows themselves. */
export function rotaryBackward(
  gpu: Gpu,
  shape: Heads,
  dq: Tensor,
  dk: Tensor,
  dv: Tensor,
  rowMeta: Tensor,
  table: Tensor,
  dqkv: Tensor,
): void {
  const { heads, kvHeads, headDim: hd } = shape;
  const { rows } = asMatrix(dqkv);
  expectShape("rotary_backward", dq, [rows, heads * hd]);
  run(
    gpu,
    { label: "rotary_backward", code: () => backward },
    [dq, dk, dv, rowMeta, table, dqkv],
    { rows, heads, kvHeads, hd },
    spread(Math.ceil(rows * (heads + 2 * kvHeads) * hd / 2 / 64)),
  );
}
