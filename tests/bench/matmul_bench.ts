/**
 * Matrix products: useful GFLOP/s of the three layouts at the embedded model's shapes and at 1024^3.
 *
 *     deno run -A tests/bench/matmul_bench.ts [--family tile]
 */
import { openGpu } from "../../gpu/device.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul.ts";
import { table } from "../../cli/table.ts";

const family = Deno.args.includes("tile") ? "tile" : undefined;
const gpu = await openGpu({ matmulFamily: family });

const SHAPES = [
  [1024, 1024, 1024],
  [5000, 192, 64],
  [5000, 64, 64],
  [5000, 352, 64],
  [5000, 64, 176],
  [5000, 80, 64],
  [128, 192, 64],
  [128, 352, 64],
  [8, 352, 64],
];

async function measure(m: number, n: number, k: number): Promise<string[]> {
  const x = gpu.arena.create([m, k], "f32", "x");
  const y = gpu.arena.create([m, n], "f32", "y");
  const dx = gpu.arena.create([m, k], "f32", "dx");
  const w = createMatrix(gpu, n, k, "f32", "w");
  const half = createMatrix(gpu, n, k, "f16", "half");
  const dw = createMatrix(gpu, n, k, "f32", "dw");
  const flops = 2 * m * n * k;
  const repeats = Math.max(1, Math.ceil(1e9 / flops));
  const kinds = [
    () => matmulNT(gpu, x, w, y),
    () => matmulNN(gpu, y, w, dx),
    () => matmulTN(gpu, y, x, dw),
    () => matmulNT(gpu, x, half, y),
  ];
  const best = kinds.map(() => Infinity);
  for (let round = 0; round < 6; round++) {
    for (const [i, product] of kinds.entries()) {
      await gpu.reader.read(dx);
      const started = performance.now();
      for (let r = 0; r < repeats; r++) product();
      await gpu.reader.read(dx);
      if (round > 0) best[i] = Math.min(best[i], (performance.now() - started) / repeats);
    }
  }
  return best.map((milliseconds) => (flops / milliseconds / 1e6).toFixed(1));
}

const rows: string[][] = [];
for (const [m, n, k] of SHAPES) rows.push([`${m} x ${k} x ${n}`, ...await measure(m, n, k)]);
console.log(`device: ${gpu.adapter.name}; family ${gpu.matmulFamily}; GFLOP/s, the best of 5`);
console.log(table(rows, { header: ["rows x k x n", "x W^T", "dy W", "dy^T x", "x W^T, W in f16"] }));
gpu.close();
