import type { Gpu } from "../../gpu.ts";
import { isByPanels, runLength } from "../../panels.ts";
import { isQuantised } from "../../quantised.ts";
import type { TunedTile } from "../../tuning.ts";
import {
  bitsOf,
  type BType,
  type Kernel,
  type Loads,
  type Product,
  type Sizes,
  SPARSE_STEP,
  type Tile,
} from "./variant.ts";

// An invocation loops fewer than 32,768 times in all: four terms an iteration in the vector kernels, one in the scalar one.
const MAX_TERMS = { vector: 65536, scalar: 16384 };

/** The kernel for a product on a software device: that of few terms, else the tuned one, else what was measured there. */
export function chooseSoftwareKernel(
  gpu: Gpu,
  kind: Product,
  bType: BType,
  sizes: Sizes,
  tuned: TunedTile | undefined,
  sparse: boolean,
): Kernel {
  const s = gpu.subgroupSize;
  // Few terms first: tiles are tuned with many.
  const kernel = sparse
    ? undefined
    : fewTerms(gpu, kind, bType, sizes) ?? tunedKernel(gpu, kind, bType, sizes, tuned);
  if (kernel) return kernel;
  const wanted = fewRows(kind, bType, sizes, s) ?? manyRows(kind, bType, sizes, s);
  // Tiles of fewer rows share fewer zeros.
  if (sparse) [wanted[0], wanted[2]] = [Math.min(wanted[0], 16), SPARSE_STEP];
  const fitted = fit(gpu, kind, bType, sizes, wanted);
  if (fitted) return { ...fitted, ...cacheBlock(kind, bType, sizes, fitted.tile) };
  return { tile: broadcast(s, [4, 4, 1]), terms: MAX_TERMS.scalar };
}

// Bytes of B's rows that stay in the caches while all columns and rows of C are worked on.
const CACHE_BLOCK = 4 * 1024 * 1024;

/**
 * Cache blocking: a product with the rows of a large B takes blocks of them, each in a dispatch. Every subgroup reads its own
 * few columns, and without blocks would fetch its pieces of all rows from memory, at a half to a fifth of the speed.
 */
function cacheBlock(
  kind: Product,
  bType: BType,
  { k, ldb }: Sizes,
  tile: Tile,
): { terms: number; prefetch?: boolean } {
  const rows = Math.max(512, Math.floor(CACHE_BLOCK / (ldb * bitsOf(bType) / 8) / 64) * 64);
  if (kind !== "nn" || k <= rows) return { terms: MAX_TERMS.vector };
  // What prefetching costs only long k-steps make up for; and panels lie in the order in which they are read.
  const prefetch = tile.rows <= 16 && tile.perThread > 8 && !isByPanels(bType);
  return { terms: Math.min(rows, MAX_TERMS.vector), prefetch };
}

/** The measured choice, where there is one and the sizes allow it. */
function tunedKernel(
  gpu: Gpu,
  kind: Product,
  bType: BType,
  sizes: Sizes,
  tuned: TunedTile | undefined,
): Kernel | undefined {
  if (tuned?.family !== "broadcast") return undefined;
  const fitted = fit(gpu, kind, bType, sizes, [tuned.rows, tuned.perThread, tuned.depth]);
  return fitted && { ...fitted, ...cacheBlock(kind, bType, sizes, fitted.tile) };
}

// Numbers of B that stay in a lane's registers at most: with those of the other lanes they fill most of the first cache.
const MOST_STATIONARY = 768;
const [LEAST_TERMS, LEAST_ROWS] = [32, 128];

/**
 * Many rows of few terms: B stays in registers (is stationary), and rows pass by; a workgroup has as many as leave enough of
 * them for all cores.
 */
function fewTerms(gpu: Gpu, kind: Product, bType: BType, sizes: Sizes): Kernel | undefined {
  const { m, n, k } = sizes;
  if (bType !== "f32" || k < LEAST_TERMS || k % 16 !== 0 || m < LEAST_ROWS) return undefined;
  // Terms of gradients are rows of a batch: no text for each number of them.
  if (kind === "tn" && k !== 32 && k !== 64) return undefined;
  const perThread = [8, 4].find((columns) => columns * k <= MOST_STATIONARY);
  const fitted = perThread && fit(gpu, kind, bType, sizes, [8, perThread, k]);
  if (!fitted || fitted.loads.a !== 8) return undefined;
  let rows = 256;
  const tiles = () => Math.ceil(m / rows) * Math.ceil(n / fitted.tile.cols);
  while (rows > 64 && tiles() < 8 * navigator.hardwareConcurrency) rows /= 2;
  return { tile: { ...fitted.tile, rows, stationaryB: true }, loads: fitted.loads, terms: k };
}

/** Rows, columns a lane, terms a k-step. */
type Shape = [number, number, number];

const broadcast = (s: number, [rows, perThread, depth]: Shape): Tile => ({
  family: "broadcast",
  rows,
  cols: s * perThread,
  perThread,
  depth,
});

/** Up to 8 rows: bound by loading B, so the widest loads and long k-steps. */
function fewRows(kind: Product, bType: BType, { m, n }: Sizes, s: number): Shape | undefined {
  if (m > 8 || kind === "tn") return undefined;
  const rows = m > 4 ? 8 : m > 2 ? 4 : m;
  if (kind === "nt") {
    // One load of 32 bytes holds so many terms of a packed weight; more rows would need more registers.
    const packed = bType === "q8_0" ? 32 : 64;
    if (rows > 2) return [rows, 8, bType === "f32" ? 8 : 16];
    // Of f16 both loads of a row's cache line.
    return [rows, 8, isQuantised(bType) ? packed : bType === "f16" ? 32 : 16];
  }
  // A load takes as many columns as are packed in 32 bytes, where there are enough of them for all cores.
  const columns = bType === "f32" ? 8 : rows > 4 ? 16 : 32;
  return [rows, enough(columns, n, s), 8];
}

function manyRows(kind: Product, bType: BType, { m, n, k }: Sizes, s: number): Shape {
  const shape = shapeOfMany(kind, bType, { m, n, k }, s);
  // Small outputs leave cores idle under large tiles.
  const tiles = (rows: number) => Math.ceil(m / rows) * Math.ceil(n / (shape[1] * s));
  while (shape[0] > 8 && tiles(shape[0]) < 2 * navigator.hardwareConcurrency) shape[0] /= 2;
  return shape;
}

/** For large outputs: k-steps long enough for loads of 32 bytes, as far as the sums leave registers. */
function shapeOfMany(
  kind: Product,
  bType: BType,
  { m, n, k }: Pick<Sizes, "m" | "n" | "k">,
  s: number,
): Shape {
  const rows = m >= 24 ? 32 : 16;
  if (kind === "tn") return [16, 8, 4];
  // Of f16 where there are enough of them.
  if (kind === "nt") return [rows, 8, isQuantised(bType) || (bType === "f16" && k >= 256) ? 16 : 8];
  if (bType === "f32") return rows === 32 ? [32, 8, 4] : [16, 8, 8];
  return [16, enough(16, n, s), 8];
}

/** Columns a lane, halved until every core has a workgroup. */
function enough(columns: number, n: number, s: number): number {
  while (columns > 8 && Math.ceil(n / (columns * s)) < 2 * navigator.hardwareConcurrency) columns /= 2;
  return columns;
}

/** The widest loads that strides and offsets allow, or none if there are no vectors. */
function fit(
  gpu: Gpu,
  kind: Product,
  bType: BType,
  sizes: Sizes,
  [rows, perThread, wantedDepth]: Shape,
): { tile: Tile; loads: Loads } | undefined {
  const { n, k, lda, ldb, ldc, aOff, bOff, cOff } = sizes;
  const u64 = gpu.u64Loads;
  const bits = bitsOf(bType);
  const all = (unit: number, ...values: number[]) => values.every((value) => value % unit === 0);
  let depth = kind === "nt" && isByPanels(bType) ? Math.min(wantedDepth, runLength(bType)) : wantedDepth;
  if (kind !== "tn") { while (depth > 4 && k % depth !== 0) depth /= 2; }
  if (!all(4, n, lda, ldc, aOff, cOff) || (kind !== "tn" && k % depth !== 0)) return undefined;
  let a = u64 ? 8 : 4;
  if (!all(a, lda, aOff)) a = 4;
  const c = u64 && perThread % 8 === 0 && all(8, n, ldc, cOff) ? 8 : 4;
  const run = (kind === "nt" ? depth : perThread) * bits / 32; // words of B that lie side by side
  let b = Math.min(u64 ? 8 : 4, run);
  while (b > 1 && !all(b, ldb * bits / 32, bOff * bits / 32)) b /= 2;
  if (!all(b, ldb * bits / 32, bOff * bits / 32)) return undefined;
  return { tile: broadcast(gpu.subgroupSize, [rows, perThread, depth]), loads: { a, b, c, u64 } };
}
