import { isByPanels, PANEL_BITS, type PanelType } from "../../panels.ts";

/** Which operand is stored transposed: C = A B^T, A B, or A^T B. */
export type Product = "nt" | "nn" | "tn";
/** Element type of B in memory. */
export type BType = "f32" | PanelType;

/** Bits of an element of B. */
export const bitsOf = (bType: BType): number => isByPanels(bType) ? PANEL_BITS[bType] : 32;

/**
 * How one workgroup covers C: `rows` x `cols` outputs, `perThread` columns (broadcast, split) or a square (tile) a thread.
 * `depth`: the terms of a k-step, that is of one iteration of the loop over k; of split sums the segments side by side.
 * `shuffle`: of a split sum, segments added within a subgroup.
 */
export interface Tile {
  family: "broadcast" | "tile" | "split";
  rows: number;
  cols: number;
  perThread: number;
  depth: number;
  shuffle?: boolean;
  /** All terms are one k-step, for which each lane holds its columns of B while it goes through rows (broadcast). */
  stationaryB?: boolean;
}

/**
 * Terms of a segment, on real GPUs. There a sum is not one chain as on software devices: each segment of so many terms,
 * counted from the first of the weight's chunk, is a chain of fused multiply-adds from 0, and segments are added to the old
 * value in ascending order. Tiles of many rows do so with a second set of sums; for few rows segments are summed side by
 * side (split-k). So a row has the same bits whichever kernel computes it, and no kernel may be mixed with those of one chain.
 * 64: enough segments for all lanes where k is a thousand. 256: their sums pass through memory, and vocabularies have
 * many. Gradients (`tn`) sum over rows, which need not be the same in two passes, by tiles alone: one chain, or where tiles are few
 * some chains side by side, added in ascending order.
 */
export const SEGMENT = { nt: 64, nn: 256, tn: undefined } as const;

/** Bytes of the sums of parts of a product that wait to be added, at most. */
export const WAITING = 32 * 1024 * 1024;

/** How many words a load takes: 8 or 4 of A's rows, 8 to 1 of B's; and a store, 8 or 4 of C's. Wide ones are of pairs of words (u64). */
export interface Loads {
  a: number;
  b: number;
  c: number;
  u64: boolean;
}

/** Whether A, B and C of a product may be read four elements at once: their strides, offsets and ends are multiples of 4. */
export interface Aligned {
  a: boolean;
  b: boolean;
  c: boolean;
}

/**
 * Fused prologue: what A is made from as it is loaded, where it is not read as it stands. Rows that are normed on the way
 * (RMSNorm with this epsilon), or gates and ups side by side that become silu(gate) up.
 */
export type Prologue = { rmsNorm: number } | "swiglu";

/** Terms that a sparse product takes or skips together: its k-step, but for tiles, whose own depth it is. */
export const SPARSE_STEP = 8;

/** Which kernel: everything that is a constant of its text. */
export interface MatmulVariant {
  kind: Product;
  bType: BType;
  /** The loads, where strides and offsets allow vectors; without, a kernel for any alignment. */
  loads?: Loads;
  /** What `tile` and `split` may read four at once. */
  aligned?: Aligned;
  /** For `tn` by tiles: workgroups z sum the terms from z `span` on, each into a matrix of its own; they are added afterwards. */
  parted?: boolean;
  /** For `nt` of few rows: a step that would be a dispatch of its own. */
  prologue?: Prologue;
  /** For `nt` by split sums: adds a product of few terms, `rank`, that would be a dispatch of its own. */
  lowRank?: boolean;
  /** Only the k-steps that a list names: where A is mostly zeros. */
  sparse?: boolean;
  /** Prefetches the rows of B that the next k-step reads: where B is too large for the caches. For `nn` with loads. */
  prefetch?: boolean;
  /** The sum starts from what C holds. A constant: a branch would make every tile load C. */
  accumulate: boolean;
  tile: Tile;
}

/** Sizes, strides and offsets of a product, in elements. */
export interface Sizes {
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

/** The kernel of a product, and the most terms that one dispatch of it sums. */
export interface Kernel {
  tile: Tile;
  loads?: Loads;
  aligned?: Aligned;
  terms: number;
  /** Whether it prefetches rows of B. */
  prefetch?: boolean;
  /** Parts of a sum that are summed side by side; one if left out. */
  parts?: number;
}
