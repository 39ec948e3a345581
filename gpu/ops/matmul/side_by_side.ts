import type { Gpu } from "../../gpu.ts";
import { run } from "../../kernel.ts";
import { matmulSource } from "./matmul_source.ts";
import type { Operands } from "./operands.ts";
import { ADDED_COLUMNS, addSegments } from "./split/add_segments.ts";
import { vec4Aligned } from "./tile/tile_kernel.ts";
import { type MatmulVariant, SEGMENT, type Sizes, WAITING } from "./variant.ts";

// Products on GPUs whose sums are cut into parts that are summed side by side, and then added in a dispatch of its own.

/** A gradient's sum in parts side by side, each of whole k-steps, which are then added in ascending order. */
export function partedProduct(
  gpu: Gpu,
  { a, b, c }: Operands,
  sizes: Sizes,
  variant: MatmulVariant,
  parts: number,
): void {
  const { m, n, k, ldc, cOff } = sizes;
  const { tile, aligned, accumulate } = variant;
  const span = Math.ceil(k / parts / tile.depth) * tile.depth;
  const count = Math.ceil(k / span);
  using scratch = gpu.arena.scratch();
  const sums = scratch.f32([count, m, n], "sums of parts");
  const inSums = { ...sizes, ldc: n, cOff: 0 };
  const source = matmulSource({
    ...variant,
    parted: true,
    accumulate: false,
    aligned: { ...aligned!, c: vec4Aligned("tn", "f32", inSums).c },
  }, gpu.subgroupSize);
  run(gpu, source, [a, b.tensor, sums], {
    ...inSums,
    ...{ rowStart: 0, kStart: 0, kEnd: k, listStart: 0, listStride: 0, span, rank: 0 },
  }, [Math.ceil(n / tile.cols), Math.ceil(m / tile.rows), count]);
  const params = { m, n, ldc, cOff, segments: count, rows: 1, groups: 1 };
  run(gpu, addSegments(accumulate, false), [sums, c], params, [Math.ceil(n / ADDED_COLUMNS), m]);
}

/** Sums of segments side by side, then their sum: as many at a time as memory may take. */
export function splitProduct(gpu: Gpu, operands: Operands, sizes: Sizes, variant: MatmulVariant): void {
  const { a, b, c } = operands;
  const { m, n, k, ldc, cOff } = sizes;
  const { accumulate, tile } = variant;
  const sparse = variant.sparse === true;
  const all = Math.ceil(k / SEGMENT.nn);
  const most = Math.max(1, Math.floor(Math.min(WAITING, gpu.maxBinding) / (m * n * 4)));
  const perDispatch = Math.min(all, most, 65535);
  using scratch = gpu.arena.scratch();
  const sums = scratch.f32([perDispatch, m, n], "sums of segments");
  const groups = Math.ceil(m / tile.rows);
  const used = sparse ? [scratch.u32([perDispatch, groups], "used segments")] : [];
  const source = matmulSource({ ...variant, accumulate: false }, gpu.subgroupSize);
  const scales = b.scales ? [b.scales] : [];
  for (let first = 0; first < all; first += perDispatch) {
    const segments = Math.min(perDispatch, all - first);
    run(gpu, source, [a, b.tensor, sums, ...scales, ...used], {
      ...sizes,
      rowStart: 0,
      kStart: first * SEGMENT.nn,
      kEnd: Math.min(k, (first + segments) * SEGMENT.nn),
      listStart: 0,
      listStride: 0,
      span: 0,
      rank: 0,
    }, [Math.ceil(n / tile.cols), segments, groups]);
    const add = addSegments(accumulate || first > 0, sparse);
    const params = { m, n, ldc, cOff, segments, rows: tile.rows, groups };
    run(gpu, add, [sums, c, ...used], params, [Math.ceil(n / ADDED_COLUMNS), m]);
  }
}
