import type { Gpu } from "../../gpu.ts";
import { type Matrix, rowsOfChunk, widthOf } from "../../matrix.ts";
import { asMatrix, show, type Tensor } from "../../tensor.ts";
import type { Sizes } from "./variant.ts";
import type { Weights } from "./operands.ts";
import { product } from "./product.ts";

/** Options of the products. */
interface MatmulOptions {
  /** Adds to what `out` holds instead of replacing it: the sum starts from the old value. */
  accumulate?: boolean;
  /**
   * For {@link matmulNN}, where `a` is mostly zeros: rows of the weight that meet nothing but zeros are not read. The
   * result has the same bits, unless the weight holds what is not finite.
   */
  sparse?: boolean;
}

/**
 * out[M, N] = x[M, K] w[N, K]^T: the forward product of a layer, and u = g E^T of the mixture.
 * Each result is one chain of fused multiply-adds over ascending k, on real GPUs one of each 64 terms, added in ascending
 * order, whatever M is: row-invariant.
 */
export function matmulNT(gpu: Gpu, x: Tensor, w: Matrix, out: Tensor, options: MatmulOptions = {}): void {
  const { rows: m, cols: k } = asMatrix(x);
  check("multiply", x, w.cols === k, `[${w.rows}, ${w.cols}]^T`, `inner dimensions ${k} and ${w.cols}`);
  check(
    "write to",
    out,
    asMatrix(out).rows === m && asMatrix(out).cols === w.rows,
    `[${m}, ${w.rows}]`,
    "shapes",
  );
  for (const { b, sizes } of chunksNT(m, k, w)) {
    product(gpu, "nt", { a: x, b, c: out }, sizes, options.accumulate === true);
  }
}

/** The products of m rows with a weight's chunks, each writing columns of its own. */
export function chunksNT(m: number, k: number, w: Matrix): { b: Weights; sizes: Sizes }[] {
  return w.chunks.map((_, i) => ({
    b: chunkOf(w, i),
    sizes: {
      ...{ m, n: rowsOfChunk(w, i), k, lda: k, ldb: widthOf(w), ldc: w.rows },
      ...{ aOff: 0, bOff: 0, cOff: i * w.chunkRows },
    },
  }));
}

/** out[M, K] = a[M, N] w[N, K]: the backward product dx = dy W, and the mixture p E. Row-invariant, as {@link matmulNT}. */
export function matmulNN(gpu: Gpu, a: Tensor, w: Matrix, out: Tensor, options: MatmulOptions = {}): void {
  const { rows: m, cols: n } = asMatrix(a);
  check("multiply", a, w.rows === n, `[${w.rows}, ${w.cols}]`, `inner dimensions ${n} and ${w.rows}`);
  check(
    "write to",
    out,
    asMatrix(out).rows === m && asMatrix(out).cols === w.cols,
    `[${m}, ${w.cols}]`,
    "shapes",
  );
  w.chunks.forEach((_, i) => {
    product(
      gpu,
      "nn",
      { a, b: chunkOf(w, i), c: out },
      {
        m,
        n: w.cols,
        k: rowsOfChunk(w, i),
        lda: n,
        ldb: widthOf(w),
        ldc: w.cols,
        aOff: i * w.chunkRows,
        bOff: 0,
        cOff: 0,
      },
      options.accumulate === true || i > 0,
      options.sparse,
    );
  });
}

/** grad[N, K] (+)= dy[M, N]^T x[M, K]: the gradient of a weight, summed over rows in ascending order. */
export function matmulTN(gpu: Gpu, dy: Tensor, x: Tensor, grad: Matrix, options: MatmulOptions = {}): void {
  const { rows: m, cols: n } = asMatrix(dy);
  const { rows, cols: k } = asMatrix(x);
  check("multiply", dy, rows === m, show(x), `rows ${m} and ${rows}`);
  check("write to", x, grad.rows === n && grad.cols === k, `[${n}, ${k}] of ${grad.label}`, "shapes");
  grad.chunks.forEach((chunk, i) => {
    product(gpu, "tn", { a: dy, b: { tensor: x, bType: "f32" }, c: chunk }, {
      m: chunk.shape[0],
      n: k,
      k: m,
      lda: n,
      ldb: k,
      ldc: k,
      aOff: i * grad.chunkRows,
      bOff: 0,
      cOff: 0,
    }, options.accumulate === true);
  });
}

function check(verb: string, tensor: Tensor, ok: boolean, other: string, differ: string): void {
  if (!ok) throw new Error(`Cannot ${verb} ${show(tensor)} by ${other}: ${differ} differ`);
}

function chunkOf(w: Matrix, i: number): Weights {
  const bType = w.dtype === "u32" ? "f32" : w.dtype;
  return { tensor: w.chunks[i], bType, ...(w.scales ? { scales: w.scales[i] } : {}) };
}
