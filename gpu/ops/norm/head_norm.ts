import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, reshape, type Tensor } from "../../tensor.ts";
import { columnSum } from "../reduce/column_sum.ts";
import forward from "./head_norm.wgsl" with { type: "text" };
import backward from "./head_norm_backward.wgsl" with { type: "text" };
import { headNormRow, suitsHeadNormRow } from "./head_norm_row.ts";
import type { Heads } from "../heads.ts";

/** The two weights [hd], shared by all heads. */
export interface HeadNormWeights {
  q: Tensor;
  k: Tensor;
}

/** RMSNorm on each head of Q and K before the rotation (Qwen 3). qkv, out [rows, (heads + 2 kvHeads) hd]. */
export function headNorm(
  gpu: Gpu,
  shape: Heads,
  qkv: Tensor,
  weights: HeadNormWeights,
  eps: number,
  out: Tensor,
): void {
  expectShape("head_norm", out, qkv.shape);
  const { rows } = asMatrix(qkv);
  if (suitsHeadNormRow(gpu, shape)) {
    return headNormRow(gpu, shape, [qkv, weights.q, weights.k, out], rows, eps);
  }
  launch(gpu, "head_norm", forward, shape, [qkv, weights.q, weights.k, out], eps);
}

/** dqkv from dout (which is overwritten), and dweights += the weights' gradients. */
export function headNormBackward(
  gpu: Gpu,
  shape: Heads,
  qkv: Tensor,
  weights: HeadNormWeights,
  eps: number,
  dout: Tensor,
  dqkv: Tensor,
  dweights: HeadNormWeights,
): void {
  expectShape("head_norm", dqkv, qkv.shape);
  launch(gpu, "head_norm_backward", backward, shape, [qkv, weights.q, weights.k, dout, dqkv], eps);
  const { heads, kvHeads, headDim: hd } = shape;
  const { rows } = asMatrix(qkv);
  using scratch = gpu.arena.scratch();
  // dout now holds each row's terms: sum rows first, then the heads of a kind.
  const perHead = scratch.f32([1, (heads + 2 * kvHeads) * hd], "head_norm terms");
  columnSum(gpu, reshape(dout, [rows, (heads + 2 * kvHeads) * hd]), perHead, false);
  sumHeads(gpu, perHead, 0, heads, hd, dweights.q);
  sumHeads(gpu, perHead, heads, kvHeads, hd, dweights.k);
}

function sumHeads(gpu: Gpu, perHead: Tensor, first: number, count: number, hd: number, out: Tensor): void {
  using scratch = gpu.arena.scratch();
  const part = scratch.f32([count, hd], "head_norm heads");
  gpu.commands.copy(perHead, first * hd, part, 0, count * hd);
  columnSum(gpu, part, out, true);
}

function launch(
  gpu: Gpu,
  label: string,
  code: string,
  { heads, kvHeads, headDim: hd }: Heads,
  tensors: Tensor[],
  eps: number,
): void {
  const { rows } = asMatrix(tensors[0]);
  expectShape("head_norm", tensors[0], [rows, (heads + 2 * kvHeads) * hd]);
  run(
    gpu,
    { label, code: () => `const S = ${gpu.subgroupSize}u;\n` + code },
    tensors,
    { rows, heads, kvHeads, hd, eps },
    grid(rows * (heads + 2 * kvHeads)),
  );
}
