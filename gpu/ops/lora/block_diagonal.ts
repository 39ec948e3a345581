import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type Matrix, matrixOf } from "../../matrix.ts";
import type { Tensor } from "../../tensor.ts";
import shared from "./block_diagonal_parts.wgsl" with { type: "text" };
import forward from "./block_diagonal.wgsl" with { type: "text" };
import backward from "./block_diagonal_backward.wgsl" with { type: "text" };

/**
 * The rows of a fused projection that each of its up to three parts begins at, from 0: Q, K and V lie in one matrix, but
 * each has a low-rank update of its own.
 */
export type PartStarts = readonly number[];

/**
 * Spreads b: blocks[i, part(i) rank + k] = scale b[i, k], and 0 elsewhere: the B of all parts as one block-diagonal matrix, so
 * that the rows u = x A^T [rows, parts rank] of all parts meet it in one product. b [n, rank], blocks [n, parts rank].
 */
export function blockDiagonal(gpu: Gpu, b: Matrix, starts: PartStarts, scale: number, blocks: Matrix): void {
  walk("spread", b, blocks, b.cols, starts, (from, to, rows) => {
    const n = rows.count * blocks.cols;
    const source = { label: "block_diagonal", code: () => shared + forward };
    const params = { ...rows.params, n, xAt: rows.a * b.cols, yAt: rows.b * blocks.cols, scale };
    run(gpu, source, [from, to], params, grid(Math.ceil(n / 64)));
  });
}

/** Collects dblocks [n, parts rank]: db[i, k] += scale dblocks[i, part(i) rank + k], the backward of {@link blockDiagonal}. */
export function blockDiagonalBackward(
  gpu: Gpu,
  dblocks: Tensor,
  starts: PartStarts,
  scale: number,
  db: Matrix,
): void {
  const blocks = matrixOf(dblocks);
  walk("collect", blocks, db, db.cols, starts, (from, to, rows) => {
    const n = rows.count * db.cols;
    const source = { label: "block_diagonal_backward", code: () => shared + backward };
    const params = { ...rows.params, n, xAt: rows.a * blocks.cols, yAt: rows.b * db.cols, scale };
    run(gpu, source, [from, to], params, grid(Math.ceil(n / 64)));
  });
}

/** Rows that lie in one chunk of either matrix. */
interface ChunkRows {
  count: number;
  /** The first one within the chunk of either matrix. */
  a: number;
  b: number;
  params: { rank: number; parts: number; start1: number; start2: number; first: number };
}

/** Row by row where both matrices' chunks overlap: they hold different numbers of rows. */
function walk(
  verb: string,
  a: Matrix,
  b: Matrix,
  rank: number,
  starts: PartStarts,
  each: (from: Tensor, to: Tensor, rows: ChunkRows) => void,
): void {
  const parts = starts.length;
  const wide = Math.max(a.cols, b.cols);
  if (a.rows !== b.rows || wide !== parts * rank || parts < 1 || parts > 3) {
    throw new Error(
      `Cannot ${verb} ${a.label}[${a.rows}, ${a.cols}] and ${b.label}[${b.rows}, ${b.cols}] in ${parts} parts of rank ${rank}`,
    );
  }
  for (let row = 0; row < a.rows;) {
    const [i, j] = [Math.floor(row / a.chunkRows), Math.floor(row / b.chunkRows)];
    const rows = Math.min((i + 1) * a.chunkRows, (j + 1) * b.chunkRows, a.rows) - row;
    each(a.chunks[i], b.chunks[j], {
      count: rows,
      a: row % a.chunkRows,
      b: row % b.chunkRows,
      params: { rank, parts, start1: starts[1] ?? a.rows, start2: starts[2] ?? a.rows, first: row },
    });
    row += rows;
  }
}
