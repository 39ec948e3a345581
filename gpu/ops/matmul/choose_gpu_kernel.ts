import type { Gpu } from "../../gpu.ts";
import type { TunedTile } from "../../tuning.ts";
import { type BType, type Kernel, type Product, SEGMENT, type Sizes, type Tile, WAITING } from "./variant.ts";
import { splitBytesNN, splitThreadsNN } from "./split/split_nn.ts";
import { splitBytesNT, splitThreadsNT, splitUnit } from "./split/split_layout.ts";
import { tileBytes, tileThreads, vec4Aligned } from "./tile/tile_kernel.ts";

// An invocation loops fewer than 32,768 times in all: a tile some 17 times for 16 terms, a split sum at most 70 for 512.
// Whole segments, so that the next dispatch begins with one.
const MAX_TERMS = { tile: 16384, split: 65536 };

/** Rows for which sums are split: `nt` in up to two groups of 8, which read W twice, once of it from a cache. */
const FEW = { nt: 16, nn: 8 };
// Longer sums of more rows are split too where there are too few tiles to do them side by side: mixtures of a vocabulary.
const LONG = 16384;

const tileOf = ([rows, cols, perThread]: number[]): Tile => ({
  family: "tile",
  rows,
  cols,
  perThread,
  depth: 16,
});

/** Tiles of many rows worth trying on a GPU, rows x cols and the edge of a thread's square. */
export const GPU_TILES: Tile[] = [
  [16, 32, 4],
  [16, 64, 4],
  [32, 32, 4],
  [32, 64, 4],
  [64, 64, 4],
  [64, 64, 8],
  [128, 64, 8],
  [128, 128, 8],
].map(tileOf);

// Without a measurement: of 4x4 a thread, whose two sets of sums take some 60 registers and not 190.
const DEFAULTS: Tile[] = [[64, 64, 4], [32, 64, 4], [32, 32, 4], [16, 32, 4]].map(tileOf);
// Workgroups that keep a large GPU busy: two for each of its 60 to 130 processors at least.
const BUSY = 256;

/**
 * Split sums worth trying for so many rows. `nt`: columns of a workgroup, columns of a thread, segments side by side; 64 to 128
 * threads, and with scales 16 columns, since a sector of memory holds as many of them. `nn`: columns.
 */
export function gpuSplits(kind: Product, rows: number): Tile[] {
  const split = (cols: number, perThread: number, depth: number, shuffle: boolean): Tile => ({
    ...{ family: "split", rows, cols, perThread, depth },
    ...(shuffle ? { shuffle } : {}),
  });
  if (kind === "nn") return [128, 256, 512].map((cols) => split(cols, 4, 1, false));
  if (kind === "tn") return [];
  const shapes = [[4, 1, 16], [8, 2, 16], [8, 2, 32], [16, 4, 16], [16, 2, 8], [32, 4, 8]];
  // Each lane adds all segments itself, so only for sums of few rows.
  const ways = rows <= 2 ? [false, true] : [false];
  return shapes.flatMap(([cols, each, depth]) => ways.map((way) => split(cols, each, depth, way)));
}

/**
 * The kernel for a product on a real GPU: the tuned one where the sizes allow it, else sums split over the segments for few
 * rows, which all processors read W for, and above them the largest tile that keeps all processors busy. All of
 * them add in the order of `SEGMENT`: the choice changes no bit.
 */
export function chooseGpuKernel(
  gpu: Gpu,
  kind: Product,
  bType: BType,
  sizes: Sizes,
  tuned: TunedTile | undefined,
  sparse: boolean,
): Kernel {
  const aligned = vec4Aligned(kind, bType, sizes);
  const splits = splitAllowed(kind, bType, sizes) ? splitTiles(bType, kind, sizes, tuned) : [];
  // More rows share fewer zeros.
  const untuned = defaultTile(sizes, sparse ? 32 : Infinity);
  const tiles = tuned?.family === "tile" && !sparse ? [tileFrom(tuned), untuned] : [untuned];
  // No measurement was of long sums of so many rows.
  const measured = tuned?.family === "tile" && (kind !== "nn" || sizes.m <= FEW.nn);
  const wanted = measured ? [...tiles, ...splits] : [...splits, ...tiles];
  const tile = wanted.find((one) => fitsDevice(gpu, kind, bType, one)) ?? tileOf([16, 16, 4]);
  const terms = tile.family === "split" ? MAX_TERMS.split : MAX_TERMS.tile;
  return { tile, aligned, terms, ...(kind === "tn" ? { parts: partsOf(gpu, sizes, tile) } : {}) };
}

// Terms of a part that are worth the pass in which parts are added.
const LEAST_PART = 256;

/** Parts into which the terms of a gradient are cut where its tiles alone would leave processors idle. */
function partsOf(gpu: Gpu, { m, n, k }: Sizes, { rows, cols }: Tile): number {
  const wanted = Math.ceil(BUSY / (Math.ceil(m / rows) * Math.ceil(n / cols)));
  const fit = Math.floor(Math.min(WAITING, gpu.maxBinding) / (m * n * 4));
  return Math.max(1, Math.min(wanted, fit, Math.floor(k / LEAST_PART)));
}

/** The rows whose measurement holds for so many: two groups of 8 are split as one is. */
export const measuredRows = (kind: Product, m: number): number =>
  kind === "nt" && m > FEW.nn && m <= FEW.nt ? FEW.nn : m;

const tileFrom = ({ rows, cols, perThread, depth }: TunedTile): Tile => ({
  ...{ family: "tile", rows, cols: cols ?? rows, perThread, depth },
});

/** Few rows, loads that are aligned, and for `nn` a sum long enough to be worth a second dispatch. */
function splitAllowed(kind: Product, bType: BType, sizes: Sizes): boolean {
  const { m, n, k, lda, aOff, bOff, ldb } = sizes;
  if (kind === "tn") return false;
  if (kind === "nn") {
    const few = m <= FEW.nn ? k >= 4 * SEGMENT.nn : k >= LONG && !isBusy(sizes, defaultTile(sizes, 32));
    return few && n % 4 === 0;
  }
  return m <= FEW.nt && [lda, aOff, k, ldb, bOff].every((value) => value % splitUnit(bType) === 0);
}

function splitTiles(bType: BType, kind: Product, { m, n }: Sizes, tuned: TunedTile | undefined): Tile[] {
  const rows = m > 4 ? 8 : m > 2 ? 4 : m;
  const tile = (cols: number, perThread: number, depth: number, shuffle = false): Tile => ({
    ...{ family: "split", rows, cols, perThread, depth },
    ...(shuffle && rows <= 2 ? { shuffle } : {}),
  });
  const measured = tuned?.family === "split" && tuned.cols
    ? [tile(tuned.cols, tuned.perThread, tuned.depth, tuned.shuffle)]
    : [];
  if (kind === "nn") return [...measured, tile(n > 512 ? 256 : 128, 4, 1)];
  // Fewer columns a workgroup where there are few: W is to be read by all processors.
  const shape = n >= 16 * BUSY || bType.startsWith("q") ? [16, 4, 16] : [8, 2, 16];
  return [...measured, tile(shape[0], shape[1], shape[2]), tile(8, 2, 8)];
}

const isBusy = ({ m, n }: Sizes, { rows, cols }: Tile): boolean =>
  Math.ceil(m / rows) * Math.ceil(n / cols) >= BUSY;

/** The largest tile that wastes less than half of its rows, and of which there are enough. */
function defaultTile(sizes: Sizes, most: number): Tile {
  const fitting = DEFAULTS.filter(({ rows }) => rows <= 16 || (rows < 2 * sizes.m && rows <= most));
  return fitting.find((tile) => isBusy(sizes, tile)) ?? fitting[fitting.length - 1];
}

/** Whether the device has the threads, the workgroup memory and the subgroups for a tile. */
export function fitsDevice({ workgroups }: Gpu, kind: Product, bType: BType, tile: Tile): boolean {
  const split = tile.family === "split";
  const threads = !split ? tileThreads(tile) : kind === "nt" ? splitThreadsNT(tile) : splitThreadsNN(tile);
  const bytes = !split
    ? tileBytes(kind, tile)
    : kind === "nt"
    ? splitBytesNT(bType, tile)
    : splitBytesNN(tile);
  const { minSubgroup, maxSubgroup } = workgroups;
  // Segments side by side in one subgroup, and whole subgroups.
  if (tile.shuffle && (tile.depth > minSubgroup || threads % maxSubgroup !== 0)) return false;
  return threads <= workgroups.threads && bytes <= workgroups.bytes;
}
