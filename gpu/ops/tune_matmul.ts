import type { Gpu } from "../device.ts";
import { createMatrix, freeMatrix, type Matrix } from "../matrix.ts";
import type { TunedTile } from "../tuning.ts";
import { matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { tuningClass } from "./matmul_kernels.ts";
import type { BStore, Product } from "./matmul_source.ts";

/** What one class of products came to. */
export interface TunedClass {
  /** As `tuningClass` names it. */
  name: string;
  /** Measured, the one to be taken first; without those that the device does not allow. */
  tiles: { tile: TunedTile | "default"; gflops: number }[];
}

const broadcast = (rows: number, perThread: number, depth: number): TunedTile => ({
  family: "broadcast",
  rows,
  perThread,
  depth,
});
const square = (edge: number, perThread: number): TunedTile => ({
  family: "tile",
  rows: edge,
  perThread,
  depth: 16,
});

/**
 * Tiles worth trying for so many rows: few, since each is compiled, which takes a software device a second. More rows than
 * there are would waste their part of the work.
 */
function candidates(m: number, kind: Product, store: BStore, software: boolean): TunedTile[] {
  const rows = [m, m / 2].map((n) => Math.max(1, Math.min(32, n))).filter((n, i, all) =>
    all.indexOf(n) === i
  );
  const columns = kind === "nt" || store === "f32" ? [8] : [8, 16];
  const depths = kind === "tn" ? [4] : m <= 8 ? [8, 16] : [4, 8];
  const lanes = rows.flatMap((n) =>
    columns.flatMap((each) => depths.map((depth) => broadcast(n, each, depth)))
  );
  // Shared memory is ordinary memory on a software device: measured at a quarter of the speed of broadcasts.
  if (software) return lanes;
  const squares = [[16, 1], [64, 4], [128, 8]].filter(([edge]) => edge <= Math.max(16, 2 * m));
  return [...lanes, ...squares.map(([edge, each]) => square(edge, each))];
}

const CLASSES: [Product, BStore][] = [["nt", "f32"], ["nn", "f32"], ["tn", "f32"], ["nt", "f16"], [
  "nn",
  "f16",
]];
const ROWS = [1, 8, 64, 512];
// Wide ones small enough for a cache of some megabytes, as the layers of small models are.
const SIZES = [192, 1024];
const SECONDS = 0.03;
// What is faster by less may be so by chance.
const CLEAR = 1.05;

/**
 * Measures the candidates of every class on this device, and leaves the fastest in `gpu.tuning`. What does not compile
 * or run here is passed over.
 * @param rounds repetitions; the best of each counts
 */
export async function* tuneMatmul(gpu: Gpu, rounds = 3): AsyncGenerator<TunedClass> {
  gpu.tuning.clear();
  for (const [kind, store] of CLASSES) {
    for (const [m, size] of ROWS.flatMap((m) => SIZES.map((size) => [m, size]))) {
      const name = tuningClass(kind, store, { m, n: size });
      const measured = await measureClass(gpu, name, [kind, store], m, size, rounds);
      const [best] = measured;
      if (best && best.tile !== "default") gpu.tuning.set(name, best.tile);
      else gpu.tuning.delete(name);
      yield { name, tiles: measured };
    }
  }
}

async function measureClass(
  gpu: Gpu,
  name: string,
  [kind, store]: [Product, BStore],
  m: number,
  size: number,
  rounds: number,
): Promise<TunedClass["tiles"]> {
  using scratch = gpu.arena.scratch();
  const x = scratch.f32([m, size], "tuned x");
  const y = scratch.f32([m, size], "tuned y");
  const weight = createMatrix(gpu, size, size, store, "tuned weight");
  const product = {
    nt: () => matmulNT(gpu, x, weight, y),
    nn: () => matmulNN(gpu, y, weight, x),
    tn: () => matmulTN(gpu, y, x, weight),
  };
  const tiles = ["default" as const, ...candidates(m, kind, store, gpu.adapter.software)];
  const best = tiles.map(() => Infinity);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, tile] of tiles.entries()) {
      if (best[i] === -1) continue;
      if (tile === "default") gpu.tuning.delete(name);
      else gpu.tuning.set(name, tile);
      try {
        const seconds = await time(gpu, product[kind], y, round === 0 ? 0 : SECONDS);
        if (round > 0) best[i] = Math.min(best[i], seconds);
      } catch {
        best[i] = -1; // too much of something for this device
      }
    }
  }
  freeMatrix(gpu, weight);
  const flops = 2 * m * size * size;
  const speed = (tile: TunedTile | "default", gflops: number) => tile === "default" ? gflops * CLEAR : gflops;
  return tiles.map((tile, i) => ({ tile, gflops: flops / best[i] / 1e9 })).filter(({ gflops }) => gflops > 0)
    .sort((a, b) => speed(b.tile, b.gflops) - speed(a.tile, a.gflops));
}

/** Seconds of one product, of as many as take `least` together. */
async function time(
  gpu: Gpu,
  product: () => void,
  wait: Matrix["chunks"][number],
  least: number,
): Promise<number> {
  const run = async (count: number) => {
    const started = performance.now();
    for (let i = 0; i < count; i++) product();
    await gpu.reader.read(wait);
    return (performance.now() - started) / 1000;
  };
  const once = await run(1);
  const count = Math.ceil(least / Math.max(once, 1e-5));
  return count <= 1 ? once : await run(count) / count;
}
