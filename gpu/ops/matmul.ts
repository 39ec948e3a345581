import type { Gpu } from "../device.ts";
import { run } from "../kernel.ts";
import type { Matrix } from "../matrix.ts";
import { asMatrix, show, type Tensor } from "../tensor.ts";
import { type BStore, matmulSource, type Product, type Tile } from "./matmul_source.ts";

/** Options of the products. */
export interface MatmulOptions {
  /** Adds to what `out` holds instead of replacing it: the sum starts from the old value. */
  accumulate?: boolean;
}

// A dispatch sums at most so many terms that an invocation loops fewer than 32,768 times in all: four terms a turn in
// the vector kernel, one in the scalar one; the tile kernel's loops over 16 terms hold some 27 turns.
const MAX_TERMS = { vector: 65536, scalar: 16384, tile: 16384 };

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
    product(gpu, "nt", x, chunk, out, {
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
    product(gpu, "nn", a, chunk, out, {
      m,
      n: w.cols,
      k: chunk.shape[0],
      lda: n,
      ldb: w.cols,
      ldc: w.cols,
      aOff: i * w.chunkRows,
      bOff: 0,
      cOff: 0,
    }, options.accumulate === true || i > 0);
  });
}

/** grad[N, K] (+)= dy[M, N]^T x[M, K]: the gradient of a weight, summed over rows in ascending order. */
export function matmulTN(gpu: Gpu, dy: Tensor, x: Tensor, grad: Matrix, options: MatmulOptions = {}): void {
  const { rows: m, cols: n } = asMatrix(dy);
  const { rows, cols: k } = asMatrix(x);
  check("multiply", dy, rows === m, show(x), `rows ${m} and ${rows}`);
  check("write to", x, grad.rows === n && grad.cols === k, `[${n}, ${k}] of ${grad.label}`, "shapes");
  grad.chunks.forEach((chunk, i) => {
    product(gpu, "tn", dy, x, chunk, {
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

interface Sizes {
  m: number;
  n: number;
  k: number;
  lda: number;
  ldb: number;
  ldc: number;
  aOff: number;
  bOff: number;
  cOff: number;
}

function product(
  gpu: Gpu,
  kind: Product,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  sizes: Sizes,
  accumulate: boolean,
): void {
  const { m, n, k } = sizes;
  const store: BStore = b.dtype === "f16" ? "f16" : "f32";
  const strides = [sizes.lda, sizes.ldb, sizes.ldc, sizes.aOff, sizes.bOff, sizes.cOff, n];
  strides.push(kind === "tn" ? m : k);
  const step = store === "f16" ? 8 : 4;
  const vector = strides.every((value) => value % 4 === 0) && sizes.ldb % step === 0 &&
    (kind !== "nt" || k % step === 0);
  const terms = MAX_TERMS[gpu.matmulFamily === "tile" ? "tile" : vector ? "vector" : "scalar"];
  const tile = chooseTile(gpu, kind, m, n, vector);
  const groups: [number, number] = [Math.ceil(n / tile.cols), Math.ceil(m / tile.rows)];
  const maxRows = 65535 * tile.rows;
  for (let k0 = 0; k0 < k; k0 += terms) {
    for (let row = 0; row < m; row += maxRows) {
      const adds = accumulate || k0 > 0;
      const source = matmulSource({ kind, store, vector, accumulate: adds, tile }, gpu.subgroupSize);
      run(gpu, source, [a, b, c], {
        ...sizes,
        rowStart: row,
        kStart: k0,
        kEnd: Math.min(k, k0 + terms),
      }, [groups[0], Math.min(groups[1], 65535)]);
    }
  }
}

/** The tile for a product: measured choices of the software device, a fixed one for GPUs. */
function chooseTile(gpu: Gpu, kind: Product, m: number, n: number, vector: boolean): Tile {
  const s = gpu.subgroupSize;
  if (gpu.matmulFamily === "tile") {
    return vector && m > 16 ? tile("tile", 64, 64, 4, 16) : tile("tile", 16, 16, 1, 16);
  }
  if (!vector) return tile("broadcast", 4, s * 4, 4, 4);
  // Small outputs leave cores idle under large tiles.
  const enough = Math.ceil(m / 32) * Math.ceil(n / (8 * s)) >= navigator.hardwareConcurrency;
  if (m >= 24 && (enough || kind !== "tn")) return tile("broadcast", 32, s * 8, 8, 4);
  if (m >= 12) return tile("broadcast", 16, s * 8, 8, 4);
  if (m >= 4) return tile("broadcast", 8, s * 8, 8, 4);
  return kind === "tn" ? tile("broadcast", 4, s * 8, 8, 4) : tile("broadcast", m, s * 8, 8, 4);
}

const tile = (
  family: Tile["family"],
  rows: number,
  cols: number,
  perThread: number,
  depth: number,
): Tile => ({
  family,
  rows,
  cols,
  perThread,
  depth,
});
