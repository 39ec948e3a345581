import type { Gpu } from "../../gpu.ts";
import { createMatrix, freeMatrix, type Matrix } from "../../matrix.ts";
import type { TunedTile } from "../../tuning.ts";
import { matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { fitsDevice, GPU_TILES, gpuSplits } from "./choose_gpu_kernel.ts";
import { tuningClass } from "./choose_kernel.ts";
import type { BType, Product } from "./variant.ts";

/** What one class of products came to. */
export interface TunedClass {
  /** As `tuningClass` names it. */
  name: string;
  /** Measured, the one to be taken first; without those that the device does not allow. */
  tiles: { tile: TunedTile | "default"; gflops: number }[];
}

/**
 * Tiles worth trying for so many rows: few, since each is compiled, which takes a software device a second. Only those that
 * add in the order of the device's family. More rows than there are would waste their part of the work.
 */
function candidates(gpu: Gpu, m: number, kind: Product, bType: BType): TunedTile[] {
  return gpu.matmulFamily === "broadcast" ? broadcasts(m, kind, bType) : forGpus(gpu, m, kind, bType);
}

function broadcasts(m: number, kind: Product, bType: BType): TunedTile[] {
  const rows = [m, m / 2].map((n) => Math.max(1, Math.min(32, n))).filter((n, i, all) =>
    all.indexOf(n) === i
  );
  const columns = kind === "nt" || bType === "f32" ? [8] : [8, 16];
  const depths = kind === "tn" ? [4] : m > 8 ? [4, 8] : m === 1 && bType === "f16" ? [8, 16, 32] : [8, 16];
  return rows.flatMap((n) =>
    columns.flatMap((perThread) =>
      depths.map((depth): TunedTile => ({ family: "broadcast", rows: n, perThread, depth }))
    )
  );
}

/** Split sums for few rows, tiles for all: what the device has the threads and the workgroup memory for. */
function forGpus(gpu: Gpu, m: number, kind: Product, bType: BType): TunedTile[] {
  const splits = m <= 8 ? gpuSplits(kind, m) : [];
  const tiles = GPU_TILES.filter(({ rows }) => rows <= Math.max(16, 2 * m));
  return [...splits, ...tiles].filter((tile) => fitsDevice(gpu, kind, bType, tile));
}

const CLASSES: [Product, BType][] = [["nt", "f32"], ["nn", "f32"], ["tn", "f32"], ["nt", "f16"], [
  "nn",
  "f16",
]];
const PACKED: [Product, BType][] = [["nt", "q8_0"], ["nt", "q4_0"], ["nt", "q4_1"]];
const ROWS = [1, 8, 64, 512];
// Of more terms than B stays in registers for (choose_software_kernel.ts); wide ones small enough for a cache of some
// megabytes, as the layers of small models are.
const SIZES = [256, 1024];
// A wide one larger than the caches, as all layers together are; few rows meet vocabularies as terms.
const GPU_SIZES = [192, 4096];
const GPU_TERMS = 16384;
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
  const { matmulFamily, adapter: { software } } = gpu;
  for (const [kind, bType] of matmulFamily === "tile" ? [...CLASSES, ...PACKED] : CLASSES) {
    for (const [m, size] of ROWS.flatMap((m) => (software ? SIZES : GPU_SIZES).map((size) => [m, size]))) {
      // Of gradients the rows are those of the weight, and m are terms.
      if (kind === "tn" && m !== ROWS[ROWS.length - 1]) continue;
      const name = tuningClass(kind, bType, { m: kind === "tn" ? size : m, n: size });
      const measured = await measureClass(gpu, name, [kind, bType], m, size, rounds);
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
  [kind, bType]: [Product, BType],
  m: number,
  size: number,
  rounds: number,
): Promise<TunedClass["tiles"]> {
  using scratch = gpu.arena.scratch();
  const x = scratch.f32([m, size], "tuned x");
  const outputs = kind === "nn" && m <= 8 && !gpu.adapter.software ? GPU_TERMS : size;
  const y = scratch.f32([m, outputs], "tuned y");
  const weight = createMatrix(gpu, outputs, size, bType, "tuned weight");
  const product = {
    nt: () => matmulNT(gpu, x, weight, y),
    nn: () => matmulNN(gpu, y, weight, x),
    tn: () => matmulTN(gpu, y, x, weight),
  };
  const tiles = ["default" as const, ...candidates(gpu, m, kind, bType)];
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
  const flops = 2 * m * outputs * size;
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
