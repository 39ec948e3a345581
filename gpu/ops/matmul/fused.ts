import type { Gpu } from "../../gpu.ts";
import type { Matrix } from "../../matrix.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { chunksNT, matmulNT } from "./matmul.ts";
import { kernelOfOne, productOfOne } from "./product.ts";
import type { Prologue } from "./variant.ts";
import { rmsNorm } from "../norm/rms_norm.ts";
import { swiglu } from "../elementwise/swiglu.ts";

/** The weight [d] and epsilon of an RMSNorm. */
interface Norm {
  weight: Tensor;
  eps: number;
}

/** What a low-rank update adds to a product of x [M, K]: (x a^T) blocks^T. */
export interface LowRank {
  /** [rank, K]. */
  a: Matrix;
  /** [N, rank]. */
  blocks: Matrix;
  /** Becomes x a^T [M, rank]. */
  u: Tensor;
}

/**
 * out[M, N] = rmsNorm(x[M, K]) w[N, K]^T, where nothing of the norm is kept: generation. For few rows it is one dispatch, since a
 * dispatch costs more than the norm; elsewhere two. A low-rank update takes a dispatch more, or two. The bits are the same.
 */
export function matmulNormed(
  gpu: Gpu,
  x: Tensor,
  norm: Norm,
  w: Matrix,
  out: Tensor,
  lowRank?: LowRank,
): void {
  const { rows: m, cols: k } = asMatrix(x);
  expectShape("matmul_normed", norm.weight, [k]);
  expectShape("matmul_normed", out, [m, w.rows]);
  const made = { prologue: { rmsNorm: norm.eps }, x, lda: k, normWeight: norm.weight };
  if (onTheWay(gpu, made, w, out, false, lowRank)) return;
  using scratch = gpu.arena.scratch();
  const normed = scratch.f32([m, k], "normed");
  rmsNorm(gpu, x, norm.weight, normed, scratch.f32([m], "rinv"), norm.eps);
  matmulAdapted(gpu, normed, w, out, { lowRank });
}

/** out[M, N] += swiglu(gateUp[M, 2 K]) w[N, K]^T, in one dispatch or two likewise. */
export function matmulGated(gpu: Gpu, gateUp: Tensor, w: Matrix, out: Tensor, lowRank?: LowRank): void {
  const { rows: m } = asMatrix(gateUp);
  const k = w.cols;
  expectShape("matmul_gated", gateUp, [m, 2 * k]);
  expectShape("matmul_gated", out, [m, w.rows]);
  if (onTheWay(gpu, { prologue: "swiglu", x: gateUp, lda: 2 * k }, w, out, true, lowRank)) return;
  using scratch = gpu.arena.scratch();
  const hidden = scratch.f32([m, k], "mlp hidden");
  swiglu(gpu, gateUp, hidden);
  matmulAdapted(gpu, hidden, w, out, { accumulate: true, lowRank });
}

/**
 * out[M, N] (+)= x[M, K] w[N, K]^T, and a low-rank update. That is x a^T and, on GPUs for few rows in the dispatch of the product itself,
 * what it adds; the bits are those of three products one after another.
 */
export function matmulAdapted(
  gpu: Gpu,
  x: Tensor,
  w: Matrix,
  out: Tensor,
  { accumulate = false, lowRank }: { accumulate?: boolean; lowRank?: LowRank },
): void {
  if (
    lowRank && gpu.matmulFamily === "tile" && onTheWay(gpu, { x, lda: w.cols }, w, out, accumulate, lowRank)
  ) return;
  matmulNT(gpu, x, w, out, { accumulate });
  if (!lowRank) return;
  matmulNT(gpu, x, lowRank.a, lowRank.u);
  matmulNT(gpu, lowRank.u, lowRank.blocks, out, { accumulate: true });
}

/** Rows that a product reads, with the width at which they lie, and what is made of them on the way. */
interface MadeRows {
  prologue?: Prologue;
  x: Tensor;
  lda: number;
  normWeight?: Tensor;
}

/**
 * A product of rows that are made on the way, with its low-rank update, in as few dispatches as the kernels allow.
 * @returns whether it was done
 */
function onTheWay(
  gpu: Gpu,
  { prologue, x, lda, normWeight }: MadeRows,
  w: Matrix,
  out: Tensor,
  accumulate: boolean,
  lowRank: LowRank | undefined,
): boolean {
  const { rows: m } = asMatrix(x);
  const made = (of: Matrix) => {
    const [{ b, sizes }, ...more] = chunksNT(m, w.cols, of);
    return more.length > 0 ? undefined : { b, sizes: { ...sizes, lda } };
  };
  const product = made(w);
  const kernel = product && kernelOfOne(gpu, prologue, product.b.bType, product.sizes);
  if (!kernel) return false;
  const { b, sizes } = product;
  const operands = { a: x, b, c: out, normWeight };
  if (!lowRank) {
    productOfOne(gpu, kernel, { prologue }, operands, sizes, accumulate);
    return true;
  }
  const { a, blocks, u } = lowRank;
  const whole = kernel.tile.family === "split" && blocks.chunks.length === 1;
  if (prologue === undefined && !whole) return false;
  const first = made(a);
  const firstKernel = first && kernelOfOne(gpu, prologue, first.b.bType, first.sizes);
  if (!firstKernel) return false;
  productOfOne(gpu, firstKernel, { prologue }, { a: x, b: first.b, c: u, normWeight }, first.sizes, false);
  const added = whole ? { lowRank: { u, blocks: blocks.chunks[0] } } : {};
  productOfOne(gpu, kernel, { prologue, lowRank: whole }, { ...operands, ...added }, sizes, accumulate);
  if (!whole) matmulNT(gpu, u, blocks, out, { accumulate: true });
  return true;
}
