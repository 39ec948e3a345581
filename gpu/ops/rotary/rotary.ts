import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import type { Heads } from "../heads.ts";
import { VEC8_LANES } from "../wgsl/vec8.ts";
import { rotaryBackwardVec8, rotaryVec8, suitsRotaryVec8 } from "./rotary_vec8.ts";
import forwardBindings from "./rotary_bindings.wgsl" with { type: "text" };
import backwardBindings from "./rotary_backward_bindings.wgsl" with { type: "text" };
import forward from "./rotary.wgsl" with { type: "text" };
import backward from "./rotary_backward.wgsl" with { type: "text" };

// Head counts are constants of the kernel, as in attention: dividing by a uniform costs more than all the rest.
const source = (name: string, { heads, kvHeads, headDim }: Heads, body: string) => {
  const vector = headDim % 8 === 0;
  const angle = vector
    ? `alias V = vec4<f32>; alias T = vec4<f32>; struct Angle { cos: V, sin: V }
fn angle(i: u32) -> Angle {
  let a = table[2u * i]; let b = table[2u * i + 1u];
  return Angle(V(a.x, a.z, b.x, b.z), V(a.y, a.w, b.y, b.w));
}\n`
    : `alias V = f32; alias T = vec2<f32>; struct Angle { cos: V, sin: V }
fn angle(i: u32) -> Angle { let t = table[i]; return Angle(t.x, t.y); }\n`;
  const half = headDim / (vector ? 8 : 2);
  return {
    label: `${name}_${heads}_${kvHeads}_${headDim}`,
    code: () => `const HEADS = ${heads}u; const KV = ${kvHeads}u; const HALF = ${half}u;\n${angle}${body}`,
    groups: (rows: number) => grid(Math.ceil(rows * (heads + 2 * kvHeads) * half / 64)),
  };
};

/** A kernel that takes a row a lane. */
const byRows = (name: string, { heads, kvHeads, headDim }: Heads, code: () => string) => ({
  label: `${name}_rows_${heads}_${kvHeads}_${headDim}`,
  code,
  groups: (rows: number) => grid(Math.ceil(rows / VEC8_LANES)),
});

const BIASED = {
  with: `@group(0) @binding(7) var<storage, read> bias: array<V>;
fn biased(value: V, at: u32) -> V { return value + bias[at]; }\n`,
  without: "fn biased(value: V, at: u32) -> V { return value; }\n",
};

/**
 * Rotary positions and the cache write in one, and before them the bias of the projections where there is one: qkv
 * [rows, (heads + 2 kvHeads) hd] becomes q [rows, heads hd] and rows of k, v [keys, kvHeads hd]; every position is `shift` further
 * than its meta says. rowMeta [rows, 4] as `model/transformer/packing.ts` and table as `rope_table.ts` makes them.
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
  bias?: Tensor, // [(heads + 2 kvHeads) hd]
): void {
  const { heads, kvHeads, headDim: hd } = shape;
  const { rows } = asMatrix(qkv);
  if (bias) expectShape("rotary", bias, [(heads + 2 * kvHeads) * hd]);
  expectShape("rotary", qkv, [rows, (heads + 2 * kvHeads) * hd]);
  expectShape("rotary", q, [rows, heads * hd]);
  const name = bias ? "rotary_bias" : "rotary";
  const kernel = suitsRotaryVec8(gpu, rows, shape)
    ? byRows(name, shape, () => rotaryVec8(shape, bias !== undefined))
    : source(name, shape, (bias ? BIASED.with : BIASED.without) + forwardBindings + forward);
  const tensors = [qkv, rowMeta, table, q, k, v];
  run(
    gpu,
    kernel,
    bias ? [...tensors, bias] : tensors,
    { rows, shift },
    kernel.groups(rows),
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
  const { heads, headDim: hd } = shape;
  const { rows } = asMatrix(dqkv);
  expectShape("rotary_backward", dq, [rows, heads * hd]);
  const kernel = suitsRotaryVec8(gpu, rows, shape)
    ? byRows("rotary_backward", shape, () => rotaryBackwardVec8(shape))
    : source("rotary_backward", shape, backwardBindings + backward);
  run(
    gpu,
    kernel,
    [dq, dk, dv, rowMeta, table, dqkv],
    { rows },
    kernel.groups(rows),
  );
}
