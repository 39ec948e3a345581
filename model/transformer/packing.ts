import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { AttentionLayout } from "../../gpu/ops/attention/tiles.ts";

/** A run of rows of one sequence, at consecutive positions. Places are rows of the keys and values. */
export interface RowRun {
  rows: number;
  /** Where the keys of positions 0 .. prefixLen lie: a prompt that several sequences share. */
  prefixStart: number;
  prefixLen: number;
  /** Where the key of position prefixLen lies; the following ones come after it. */
  ownStart: number;
  /** Absolute position of the first row. */
  position: number;
  /** Packed row before which the queries of these rows' keys end; the run's own end if left out. Training only. */
  end?: number;
}

/** Packed rows: `meta` [rows, 4] and `tiles` [tiles, 4] in the form that the kernels read. */
export interface PackedRows {
  rows: number;
  meta: Uint32Array<ArrayBuffer>;
  tiles: Uint32Array<ArrayBuffer>;
  /** Tiles at the front that have more rows than one subgroup has lanes. */
  doubles: number;
}

/**
 * Lays runs one after the other, without padding, in tiles that cross no run: first those of more than `lanes` rows, at most
 * twice as many, then the rest.
 */
export function packRows(runs: readonly RowRun[], lanes: number): PackedRows {
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const meta = new Uint32Array(rows * 4);
  const [doubles, singles]: number[][] = [[], []];
  let row = 0;
  for (const run of runs) {
    const first = row;
    for (let i = 0; i < run.rows; i++) {
      meta.set([run.prefixStart, run.prefixLen, run.ownStart, run.position + i], row++ * 4);
    }
    const end = run.end ?? row;
    for (let at = first; at < row;) {
      const count = Math.min(tileRows(lanes, run.position + at - first, end - at), row - at);
      (count > lanes ? doubles : singles).push(at, count, end, 0);
      at += count;
    }
  }
  return { rows, meta, tiles: Uint32Array.from([...doubles, ...singles]), doubles: doubles.length / 4 };
}

/**
 * Rows of a tile at this position, whose keys so many rows look at. All rows of a tile go through the keys that its last one
 * sees: where there are few keys and few rows that look, two tiles waste less than one of twice the rows saves.
 */
const tileRows = (lanes: number, position: number, looking: number): number =>
  position >= lanes || looking >= 4 * lanes ? 2 * lanes : lanes;

/** Puts packed rows on the device. */
export function uploadLayout(gpu: Gpu, scratch: Scratch, packed: PackedRows): AttentionLayout {
  const rowMeta = scratch.u32([packed.rows, 4], "row meta");
  const tiles = scratch.u32([packed.tiles.length / 4, 4], "tiles");
  gpu.commands.upload(rowMeta, packed.meta);
  gpu.commands.upload(tiles, packed.tiles);
  return { rowMeta, tiles, doubles: packed.doubles };
}

/** One prompt and the sequences that continue it, as lengths in rows. */
interface Group {
  prompt: number;
  continuations: number[];
}

/** Groups packed for training: each prompt, then its continuations, whose keys are the packed rows themselves. */
export function packGroups(groups: readonly Group[], lanes: number): PackedRows & { starts: number[][] } {
  const runs: RowRun[] = [];
  const starts: number[][] = []; // per group: row of the prompt, then of each continuation
  let row = 0;
  for (const { prompt, continuations } of groups) {
    const end = row + prompt + continuations.reduce((sum, n) => sum + n, 0);
    const first = row;
    const places = [first];
    runs.push({ rows: prompt, prefixStart: 0, prefixLen: 0, ownStart: first, position: 0, end });
    row += prompt;
    for (const rows of continuations) {
      places.push(row);
      runs.push({ rows, prefixStart: first, prefixLen: prompt, ownStart: row, position: prompt });
      row += rows;
    }
    starts.push(places);
  }
  return { ...packRows(runs, lanes), starts };
}
