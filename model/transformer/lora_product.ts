import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { matrixOf } from "../../gpu/matrix.ts";
import { blockDiagonalBackward } from "../../gpu/ops/lora/block_diagonal.ts";
import { matmulNN, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { AdaptedProjection } from "./adapter.ts";
import type { LoraPair } from "./lora_params.ts";

/** Room for u = x A^T [rows, parts rank], which a forward pass keeps for its backward. */
export const loraRows = (scratch: Scratch, { a }: AdaptedProjection, rows: number): Tensor =>
  scratch.f32([rows, a.rows], "lora rows");

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
