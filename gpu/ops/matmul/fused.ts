import type { Gpu } from "../../gpu.ts";
import type { Matrix } from "../../matrix.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { chunksNT, matmulNT } from "./matmul.ts";
import { productWithPrologue } from "./product.ts";
import { rmsNorm } from "../norm/rms_norm.ts";
import { swiglu } from "../elementwise/swiglu.ts";

/** The weight [d] and epsilon of an RMSNorm. */
interface Norm {
  weight: Tensor;
  eps: number;
}

/**
 * out[M, N] = rmsNorm(x[M, K]) w[N, K]^T, where nothing of the norm is kept: generation. For few rows it is one dispatch, since a
 * dispatch costs more than the norm; elsewhere two. The bits are the same.
 */
export function matmulNormed(gpu: Gpu, x: Tensor, norm: Norm, w: Matrix, out: Tensor): void {
  const { rows: m, cols: k } = asMatrix(x);
  expectShape("matmul_normed", norm.weight, [k]);
  expectShape("matmul_normed", out, [m, w.rows]);
  const [{ b, sizes }, ...more] = chunksNT(m, k, w);
  const operands = { a: x, b, c: out, normWeight: norm.weight };
  if (more.length === 0 && productWithPrologue(gpu, { rmsNorm: norm.eps }, operands, sizes, false)) return;
  using scratch = gpu.arena.scratch();
  const normed = scratch.f32([m, k], "normed");
  rmsNorm(gpu, x, norm.weight, normed, scratch.f32([m], "rinv"), norm.eps);
  matmulNT(gpu, normed, w, out);
}

/** out[M, N] += swiglu(gateUp[M, 2 K]) w[N, K]^T, in one dispatch or two likewise. */
export function matmulGated(gpu: Gpu, gateUp: Tensor, w: Matrix, out: Tensor): void {
  const { rows: m } = asMatrix(gateUp);
  const k = w.cols;
  expectShape("matmul_gated", gateUp, [m, 2 * k]);
  expectShape("matmul_gated", out, [m, w.rows]);
  const [{ b, sizes }, ...more] = chunksNT(m, k, w);
  const gated = { ...sizes, lda: 2 * k };
  if (more.length === 0 && productWithPrologue(gpu, "swiglu", { a: gateUp, b, c: out }, gated, true)) return;
  using scratch = gpu.arena.scratch();
  const hidden = scratch.f32([m, k], "mlp hidden");
  swiglu(gpu, gateUp, hidden);
  matmulNT(gpu, hidden, w, out, { accumulate: true });
}
