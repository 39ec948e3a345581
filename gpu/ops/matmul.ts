import type { Gpu } from "../device.ts";
import { run } from "../kernel.ts";
import type { Matrix } from "../matrix.ts";
import { asMatrix, show, type Tensor } from "../tensor.ts";
import { scaleRows } from "../quantised.ts";
import { chooseKernel, type Sizes } from "./matmul_kernels.ts";
import { activeRuns } from "./matmul_runs.ts";
import { type BStore, matmulSource, type MatmulVariant, type Product, SPARSE_RUN } from "./matmul_source.ts";

/** Options of the products. */
export interface MatmulOptions {
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
 * Each result is one chain of fused multiply-adds over ascending k, whatever M is: row-invariant.
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
  w.chunks.forEach((chunk, i) => {
    const n = chunk.shape[0];
    product(gpu, "nt", x, chunkOf(w, i), out, {
      m,
      n,
      k,
      lda: k,
      ldb: k,
      ldc: w.rows,
      aOff: 0,
      bOff: 0,
      cOff: i * w.chunkRows,
    }, options.accumulate === true);
  });
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
  w.chunks.forEach((chunk, i) => {
    product(
      gpu,
      "nn",
      a,
      chunkOf(w, i),
      out,
      {
        m,
        n: w.cols,
        k: chunk.shape[0],
        lda: n,
        ldb: w.cols,
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
    product(gpu, "tn", dy, { tensor: x, store: "f32" }, chunk, {
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

/** B of a product: f32, packed f16, or quantised with its scales beside it. */
interface Weights {
  tensor: Tensor;
  store: BStore;
  scales?: Tensor;
}

function chunkOf(w: Matrix, i: number): Weights {
  const store = w.dtype === "u32" ? "f32" : w.dtype;
  return { tensor: w.chunks[i], store, ...(w.scales ? { scales: w.scales[i] } : {}) };
}

function product(
  gpu: Gpu,
  kind: Product,
  a: Tensor,
  b: Weights,
  c: Tensor,
  sizes: Sizes,
  accumulate: boolean,
  sparse = false,
): void {
  const { m, n, k } = sizes;
  if (sparse && isSparse(gpu, sizes)) {
    const { loads, terms, ...rest } = chooseKernel(gpu, kind, b.store, sizes, sparse);
    if (loads) {
      const variant = { kind, store: b.store, loads, sparse, accumulate, ...rest };
      return sparseProduct(gpu, a, b, c, sizes, variant, Math.min(terms, k));
    }
  }
  const { terms, ...rest } = chooseKernel(gpu, kind, b.store, sizes);
  const { tile } = rest;
  const columns = Math.ceil(n / tile.cols);
  const tensors = b.scales ? [a, b.tensor, c, b.scales] : [a, b.tensor, c];
  for (let k0 = 0; k0 < k; k0 += terms) {
    for (let row = 0; row < m; row += 65535 * tile.rows) {
      const variant = { kind, store: b.store, accumulate: accumulate || k0 > 0, ...rest };
      run(gpu, matmulSource(variant, gpu.subgroupSize), tensors, {
        ...sizes,
        rowStart: row,
        kStart: k0,
        kEnd: Math.min(k, k0 + terms),
        scaleRows: scaleRows(b.tensor.shape[0]),
        listStart: 0,
        listStride: 0,
      }, [columns, Math.min(Math.ceil((m - row) / tile.rows), 65535)]);
    }
  }
}

// Below this the list costs what it saves; above, an invocation would loop too often.
const LEAST_SPARSE = 1024;
const MOST_SPARSE = 32768 * SPARSE_RUN;

const isSparse = ({ matmulFamily }: Gpu, { m, k, aOff }: Sizes): boolean =>
  matmulFamily === "broadcast" && k % SPARSE_RUN === 0 && aOff % SPARSE_RUN === 0 && k >= LEAST_SPARSE &&
  k <= MOST_SPARSE && m <= 65535;

/**
 * Lists the runs of terms that are not zero in all rows of a tile, then sums those: `terms` in a dispatch, for which
 * there is a list for each tile.
 */
function sparseProduct(
  gpu: Gpu,
  a: Tensor,
  b: Weights,
  c: Tensor,
  sizes: Sizes,
  variant: MatmulVariant,
  terms: number,
): void {
  const { m, n, k, lda, aOff } = sizes;
  const { tile } = variant;
  const rowTiles = Math.ceil(m / tile.rows);
  const runs = k / SPARSE_RUN;
  const span = terms / SPARSE_RUN;
  const slabs = Math.ceil(k / terms);
  using scratch = gpu.arena.scratch();
  const list = scratch.u32([slabs, rowTiles, span + 1], "runs of terms");
  const words = gpu.wideLoads && lda % 8 === 0 ? 8 : 4;
  run(gpu, activeRuns(tile.rows, words, gpu), [a, list], { m, lda, aOff, runs, span }, [rowTiles, slabs]);
  const tensors = b.scales ? [a, b.tensor, c, b.scales, list] : [a, b.tensor, c, list];
  for (let i = 0; i < slabs; i++) {
    const accumulate = variant.accumulate || i > 0;
    run(gpu, matmulSource({ ...variant, accumulate }, gpu.subgroupSize), tensors, {
      ...sizes,
      rowStart: 0,
      kStart: i * terms,
      kEnd: Math.min(k, (i + 1) * terms),
      scaleRows: scaleRows(b.tensor.shape[0]),
      listStart: i * rowTiles * (span + 1),
      listStride: span + 1,
    }, [Math.ceil(n / tile.cols), rowTiles]);
  }
}
