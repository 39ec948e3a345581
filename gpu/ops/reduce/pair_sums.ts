import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { sizeOf } from "../../tensor.ts";
import code from "./pair_sums.wgsl" with { type: "text" };

/** Sums over all pairs of values of two sets of matrices. */
export interface PairSums {
  /** Of x^2. */
  xx: number;
  /** Of y^2. */
  yy: number;
  /** Of x y. */
  xy: number;
  /** Of (x - y)^2. */
  difference: number;
}

// Values that one workgroup sums: 1,024 for each of its 64 lanes.
const BLOCK = 64 * 1024;

/**
 * Compares two sets of f32 matrices of the same shapes as if each were one long vector: blocks are summed on the device, the blocks' sums
 * in f64 here, both in fixed order.
 * @returns a function that fetches the sums, once the GPU has them
 */
export function pairSums(gpu: Gpu, x: readonly Matrix[], y: readonly Matrix[]): () => Promise<PairSums> {
  const chunks = x.flatMap((matrix, i) => matrix.chunks.map((chunk, c) => [chunk, y[i].chunks[c]] as const));
  const blocks = chunks.map(([chunk]) => Math.ceil(sizeOf(chunk.shape) / BLOCK));
  using scratch = gpu.arena.scratch();
  const sums = scratch.f32([blocks.reduce((sum, n) => sum + n, 0), 4], "pair sums");
  let offset = 0;
  chunks.forEach(([a, b], i) => {
    const params = { n: sizeOf(a.shape), block: BLOCK, offset };
    run(gpu, { label: "pair_sums", code: () => code }, [a, b, sums], params, grid(blocks[i]));
    offset += blocks[i];
  });
  const fetch = gpu.reader.start(sums);
  return async () => {
    const all = new Float32Array(await fetch());
    const column = (c: number) => all.reduce((sum, value, i) => i % 4 === c ? sum + value : sum, 0);
    return { xx: column(0), yy: column(1), xy: column(2), difference: column(3) };
  };
}
