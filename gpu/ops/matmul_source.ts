import { isQuantised, type QuantType, weightFunction } from "../quantised.ts";
import { broadcastKernel } from "./matmul_broadcast.ts";
import type { Aligned } from "./matmul_fours.ts";
import { splitNN } from "./matmul_split_nn.ts";
import { splitNT } from "./matmul_split_nt.ts";
import { tileKernel } from "./matmul_tile.ts";

/** Which operand is stored transposed: C = A B^T, A B, or A^T B. */
export type Product = "nt" | "nn" | "tn";
/** Element type of B in memory. */
export type BStore = "f32" | "f16" | QuantType;

/**
 * How one workgroup covers C: `rows` x `cols` outputs, `perThread` columns (broadcast, split) or a square (tile) a thread,
 * `depth` terms a turn, or segments side by side (split). `shuffle`: of a split sum, segments added within a subgroup.
 */
export interface Tile {
  family: "broadcast" | "tile" | "split";
  rows: number;
  cols: number;
  perThread: number;
  depth: number;
  shuffle?: boolean;
}

/**
 * Terms of a segment, on real GPUs. There a sum is not one chain as on software devices: each segment of so many terms,
 * counted from the first of the weight's chunk, is a chain of fused multiply-adds from 0, and segments are added to the old
 * value in ascending order. Tiles of many rows do so with a second set of sums; for few rows segments are summed side by
 * side. So a row has the same bits whichever kernel computes it, and no kernel may be mixed with those of one chain.
 * 64: enough segments for all lanes where k is a thousand. 256: their sums pass through memory, and vocabularies have
 * many. Gradients (`tn`) sum over rows, by tiles alone: one chain.
 */
export const SEGMENT = { nt: 64, nn: 256, tn: undefined } as const;

/** How many words a load takes: 8 or 4 of A's rows, 8 to 1 of B's; and a store, 8 or 4 of C's. Wide ones are of pairs of words (u64). */
export interface Loads {
  a: number;
  b: number;
  c: number;
  wide: boolean;
}

/** Terms that a sparse product takes or leaves together. */
export const SPARSE_RUN = 8;

/** Which kernel: everything that is a constant of its text. */
export interface MatmulVariant {
  kind: Product;
  store: BStore;
  /** The loads, where strides and offsets allow vectors; without, a kernel for any alignment. */
  loads?: Loads;
  /** What `tile` and `split` may read four at once. */
  aligned?: Aligned;
  /** Only terms that a list names, in runs of {@link SPARSE_RUN} (tiles: of their depth): where A is mostly zeros. */
  sparse?: boolean;
  /** Touches the rows of B that the next turn reads: where B is too large for the caches. For `nn` with loads. */
  touch?: boolean;
  /** The sum starts from what C holds. A constant: a branch would make every tile load C. */
  accumulate: boolean;
  tile: Tile;
}

/** The kernel for a product: label and WGSL text. */
export function matmulSource(
  variant: MatmulVariant,
  subgroup: number,
): { label: string; code: () => string } {
  const { kind, store, loads, aligned, sparse, touch, accumulate, tile } = variant;
  const square = tile.family === "broadcast" ? [] : [tile.perThread];
  const size = [tile.rows, tile.cols, ...square, tile.depth].join("x");
  const body = () => {
    if (aligned) {
      if (tile.family === "tile") return tileKernel(variant, aligned);
      return kind === "nt" ? splitNT(variant) : splitNN(variant, aligned);
    }
    return loads ? broadcastKernel(variant, loads, subgroup) : scalarKernel(kind, store, tile);
  };
  const fours = aligned && ["a", "b", "c"].filter((of) => aligned[of as keyof Aligned]).join("");
  const load = aligned ? `_by4${fours}` : loads ? `_${loads.a}_${loads.b}_${loads.c}` : "_scalar";
  const suffix = [tile.shuffle && "shuffle", sparse && "sparse", touch && "touch", accumulate && "add"];
  return {
    label: [`matmul_${kind}_${store}_${tile.family}_${size}${load}`, ...suffix].filter(Boolean).join("_"),
    code: () => `const ACCUMULATE = ${accumulate};${PARAMS}${body()}`,
  };
}

const PARAMS = `
// C[m, n] (+)= sum over k of A B. Row-major with strides lda, ldb, ldc and offsets, all in elements.
// nt: A[m, k] B[n, k]; nn: A[m, k] B[k, n]; tn: A[k, m] B[k, n]. Terms kStart to kEnd, ascending.
struct Params {
  m: u32, n: u32, k: u32, lda: u32, ldb: u32, ldc: u32, aOff: u32, bOff: u32, cOff: u32,
  rowStart: u32, kStart: u32, kEnd: u32, scaleRows: u32, listStart: u32, listStride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
`;

const range = (n: number): number[] => [...Array(n).keys()];
const lines = (n: number, make: (i: number) => string): string => range(n).map(make).join("\n");

/** Scalar accessors that read any layout and any alignment: `loadA(row, k)` and `loadB(k, col)`. */
function scalarAccess(kind: Product, store: BStore): string {
  const a = kind === "tn" ? "p.aOff + k * p.lda + row" : "p.aOff + row * p.lda + k";
  const b = kind === "nt" ? "p.bOff + col * p.ldb + k" : "p.bOff + k * p.ldb + col";
  const read = store === "f32"
    ? "return b[at];"
    : "let pair = unpack2x16float(b[at >> 1u]); return select(pair.x, pair.y, (at & 1u) == 1u);";
  const loadB = isQuantised(store)
    ? `@group(0) @binding(4) var<storage, read> s: array<u32>;${weightFunction(store, "b", "p.ldb")}
fn loadB(k: u32, col: u32) -> f32 { return weight(${kind === "nt" ? "col, k" : "k, col"}); }`
    : `fn loadB(k: u32, col: u32) -> f32 { let at = ${b}; ${read} }`;
  return `
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<${store === "f32" ? "f32" : "u32"}>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
fn loadA(row: u32, k: u32) -> f32 { return a[${a}]; }
${loadB}
`;
}

/** Any size and alignment: each thread holds `rows` x `perThread` sums, its columns a workgroup apart. */
function scalarKernel(kind: Product, store: BStore, tile: Tile): string {
  const { rows: TM, perThread: TN } = tile;
  const lanes = tile.cols / TN;
  const each = (make: (i: number, j: number) => string) => lines(TM, (i) => lines(TN, (j) => make(i, j)));
  const inside = (i: number, j: number) => `row0 + ${i}u < p.m && col${j} < p.n`;
  const place = (i: number, j: number) => `c[p.cOff + (row0 + ${i}u) * p.ldc + col${j}]`;
  return `${scalarAccess(kind, store)}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row0 = p.rowStart + wg.y * ${TM}u;
${lines(TM, (i) => `  let r${i} = min(row0 + ${i}u, p.m - 1u);`)}
${
    lines(TN, (j) =>
      `  let col${j} = wg.x * ${tile.cols}u + ${j * lanes}u + lane; let at${j} = min(col${j}, p.n - 1u);`)
  }
${each((i, j) => `  var acc${i}_${j} = 0.0;`)}
  if (ACCUMULATE) {
${each((i, j) => `    if (${inside(i, j)}) { acc${i}_${j} = ${place(i, j)}; }`)}
  }
  for (var k = p.kStart; k < p.kEnd; k++) {
${lines(TM, (i) => `    let a${i} = loadA(r${i}, k);`)}
${lines(TN, (j) => `    let b${j} = loadB(k, at${j});`)}
${each((i, j) => `    acc${i}_${j} = fma(a${i}, b${j}, acc${i}_${j});`)}
  }
${each((i, j) => `  if (${inside(i, j)}) { ${place(i, j)} = acc${i}_${j}; }`)}
}`;
}
