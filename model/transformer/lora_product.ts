import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { matrixOf } from "../../gpu/matrix.ts";
import { blockDiagonalBackward } from "../../gpu/ops/lora/block_diagonal.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { AdaptedProjection } from "./adapter.ts";
import type { LoraPair } from "./lora_params.ts";

/** Room for u = x A^T [rows, parts rank], which a forward pass keeps for its backward. */
export const loraRows = (scratch: Scratch, { a }: AdaptedProjection, rows: number): Tensor =>
  scratch.f32([rows, a.rows], "lora rows");

/** out [rows, outputs] += s B A x of x [rows, inputs]; u becomes x A^T. Row-invariant, as all products. */
export function loraForward(
  gpu: Gpu,
  { a, blocks }: AdaptedProjection,
  x: Tensor,
  u: Tensor,
  out: Tensor,
): void {
  matmulNT(gpu, x, a, u);
  matmulNT(gpu, u, blocks, out, { accumulate: true });
}

/** From dout [rows, outputs]: dx [rows, inputs] += its way back through s B A; `grads`, where given, grow. */
export function loraBackward(
  gpu: Gpu,
  { a, blocks, starts, scale }: AdaptedProjection,
  grads: LoraPair | undefined,
  x: Tensor,
  u: Tensor,
  dout: Tensor,
  dx: Tensor,
): void {
  using scratch = gpu.arena.scratch();
  const du = scratch.f32(u.shape, "d lora rows");
  matmulNN(gpu, dout, blocks, du);
  matmulNN(gpu, du, a, dx, { accumulate: true });
  if (!grads) return;
  matmulTN(gpu, du, x, grads.a, { accumulate: true });
  const dblocks = scratch.f32([blocks.rows, blocks.cols], "d lora blocks");
  matmulTN(gpu, dout, u, matrixOf(dblocks));
  blockDiagonalBackward(gpu, dblocks, starts, scale, grads.b);
}
