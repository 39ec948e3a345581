/**
 * Matrix products: useful GFLOP/s of the three layouts and of each type of weights, at shapes of decoding, prefill and
 * training; and beside them, in the same run and taking turns, what other libraries reach.
 *
 *     deno run -A tests/bench/matmul_bench.ts [--family tile] [--rounds 4] [--small | --shapes 32x2048x2048,...]
 *     deno run -A --config tests/bench/peers/deno.json tests/bench/matmul_bench.ts --peers [--python PATH]
 *
 * --small adds shapes of the embedded model, --shapes takes others. --peers: jax-js, TensorFlow.js and ONNX Runtime Web
 * on the same device, with the ratio of our forward product in f32 to the best of them. --python: NumPy's OpenBLAS with two
 * threads (PATH: a Python that has numpy), with the ratios of our f32 and f16 to it.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix, freeMatrix } from "../../gpu/matrix.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { openBlas } from "./peers/openblas.ts";
import { openPeers } from "./peers/peers.ts";

const { values } = parseArgs({
  options: {
    family: { type: "string" },
    rounds: { type: "string", default: "4" },
    small: { type: "boolean" },
    shapes: { type: "string" },
    peers: { type: "boolean" },
    python: { type: "string" },
  },
});
const gpu = await openGpu(values.family ? { matmulFamily: values.family as "tile" | "broadcast" } : {});
const peers = values.peers ? await openPeers() : [];
const blas = values.python ? openBlas(values.python) : undefined;

/** Rows, terms, columns. */
type Shape = [number, number, number];

const SHAPES: Shape[] = [
  [1, 2048, 2048],
  [8, 2048, 2048],
  [32, 2048, 2048],
  [64, 576, 1536],
  [512, 576, 1536],
  [1024, 1024, 1024],
];
const SMALL: Shape[] = [[5000, 64, 192], [5000, 64, 352], [5000, 176, 64], [128, 64, 352], [8, 64, 352]];

/** Milliseconds of one measurement: the peers' wait for their results takes 10 to 20 of them. */
const [OURS, THEIRS] = [60, 250];

/** A product that runs some times over and is waited for. */
interface Contender {
  name: string;
  target: number;
  milliseconds(times: number): Promise<number>;
}

async function contenders([m, k, n]: Shape): Promise<{ all: Contender[]; free: () => void }> {
  const [x, y, dx] = [[m, k], [m, n], [m, k]].map((shape) => gpu.arena.create(shape, "f32", "bench"));
  const tensors = [x, y, dx];
  const make = (dtype: "f32" | "f16" | "q8_0" | "q4_0") => createMatrix(gpu, n, k, dtype, dtype);
  const [w, half, q8, q4, dw] = [make("f32"), make("f16"), make("q8_0"), make("q4_0"), make("f32")];
  const ours: [string, () => void][] = [
    ["x W^T f32", () => matmulNT(gpu, x, w, y)],
    ["dy W f32", () => matmulNN(gpu, y, w, dx)],
    ["dy^T x f32", () => matmulTN(gpu, y, x, dw)],
    ["x W^T f16", () => matmulNT(gpu, x, half, y)],
    ["x W^T q8_0", () => matmulNT(gpu, x, q8, y)],
    ["x W^T q4_0", () => matmulNT(gpu, x, q4, y)],
    ["dy W f16", () => matmulNN(gpu, y, half, dx)],
    ["dy W q8_0", () => matmulNN(gpu, y, q8, dx)],
  ];
  // Beside others, what others have too.
  if (peers.length > 0) ours.splice(0, ours.length, ...ours.filter(([name]) => name.startsWith("x W^T f")));
  const timed = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  const theirs = await Promise.all(
    peers.map(async ({ name, prepare }) => ({ name, product: await prepare(m, k, n) })),
  );
  const all: Contender[] = [
    ...ours.map(([name, product]): Contender => ({
      name,
      target: OURS,
      async milliseconds(times) {
        return await timed(async () => {
          for (let i = 0; i < times; i++) product();
          await gpu.reader.read(small);
        }) / times;
      },
    })),
    ...theirs.map(({ name, product }): Contender => ({
      name,
      target: THEIRS,
      milliseconds: async (times) => await timed(() => product.run(times)) / times,
    })),
    ...(blas
      ? [{ name: "OpenBLAS", target: OURS, milliseconds: (times: number) => blas.time(m, k, n, times) }]
      : []),
  ];
  const free = () => {
    tensors.forEach((tensor) => gpu.arena.free(tensor));
    [w, half, q8, q4, dw].forEach((matrix) => freeMatrix(gpu, matrix));
    theirs.forEach(({ product }) => product.free());
  };
  return { all, free };
}

/** The best of some rounds in which all take turns. */
async function measure(shape: Shape): Promise<Map<string, number>> {
  const flops = 2 * shape[0] * shape[1] * shape[2];
  const { all, free } = await contenders(shape);
  const best = new Map<string, number>();
  const times = new Map<string, number>();
  for (let round = -1; round <= Number(values.rounds); round++) {
    for (const { name, target, milliseconds } of all) {
      const taken = await milliseconds(round < 1 ? 1 : times.get(name)!);
      // The first round compiles, the second tells how often a product must run.
      if (round === 0) times.set(name, Math.min(500, Math.ceil(target / taken)));
      if (round > 0) best.set(name, Math.max(best.get(name) ?? 0, flops / taken / 1e6));
    }
  }
  free();
  return best;
}

const small = gpu.arena.create([1], "f32", "what is waited for");
const results: [Shape, Map<string, number>][] = [];
const chosen = values.shapes?.split(",").map((shape) => shape.split("x").map(Number) as Shape);
for (const shape of chosen ?? (values.small ? [...SHAPES, ...SMALL] : SHAPES)) {
  results.push([shape, await measure(shape)]);
  console.error(`${shape.join(" x ")} done`);
}
console.log(`device: ${gpu.adapter.name}; family ${gpu.matmulFamily}; GFLOP/s, the best of ${values.rounds}`);
const shown = (name: string, rates: (best: Map<string, number>) => (number | undefined)[]) => [
  name,
  ...results.map(([, best]) => rates(best)[0]?.toFixed(name.includes("/") ? 2 : 1) ?? "-"),
];
const rateOf = (name: string) => shown(name, (best) => [best.get(name)]);
const ratio = (name: string, over: string, under: (best: Map<string, number>) => number) =>
  shown(name, (best) => [best.get(over)! / under(best)]);
const forward = "x W^T f32";
const rows = [...results[0][1].keys()].map(rateOf);
if (peers.length === 0) {
  rows.push(ratio("dy W / x W^T", "dy W f32", (best) => best.get(forward)!));
  rows.push(ratio("dy^T x / x W^T", "dy^T x f32", (best) => best.get(forward)!));
} else {
  rows.push(
    ratio("f32 / best peer", forward, (best) => Math.max(...peers.map(({ name }) => best.get(name)!))),
  );
}
if (blas) {
  rows.push(ratio("f32 / OpenBLAS", forward, (best) => best.get("OpenBLAS")!));
  rows.push(ratio("f16 / OpenBLAS", "x W^T f16", (best) => best.get("OpenBLAS")!));
}
console.log(
  table(rows, { header: ["product", ...results.map(([shape]) => shape.join(" x "))], align: ["left"] }),
);
blas?.close();
gpu.close();
Deno.exit(0);
