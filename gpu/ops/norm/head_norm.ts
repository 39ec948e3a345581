import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, reshape, type Tensor } from "../../tensor.ts";
import { columnSum } from "../reduce/column_sum.ts";
import code from "./head_norm.wgsl" with { type: "text" };
import type { Heads } from "../heads.ts";

/** The two weights [hd], shared by all heads. */
interface HeadNormWeights {
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
  launch(gpu, shape, qkv, weights, eps, out, out, false);
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
  launch(gpu, shape, qkv, weights, eps, dout, dqkv, true);
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
  shape: Heads,
  x: Tensor,
  weights: HeadNormWeights,
  eps: number,
  dy: Tensor,
  out: Tensor,
  backward: boolean,
): void {
  const { heads, kvHeads, headDim: hd } = shape;
  const { rows } = asMatrix(x);
  expectShape("head_norm", x, [rows, (heads + 2 * kvHeads) * hd]);
  expectShape("head_norm", out, x.shape);
  using scratch = gpu.arena.scratch();
  // Forward reads no dy; a binding cannot be shared with the output.
  const other = backward ? dy : scratch.f32([1], "head_norm unused");
  run(
    gpu,
    { label: "head_norm", code: () => `const S = ${gpu.subgroupSize}u;\n` + code },
    [x, weights.q, weights.k, other, out],
    { rows, heads, kvHeads, hd, eps, backward: backward ? 1 : 0 },
    grid(rows * (heads + 2 * kvHeads)),
  );
}
