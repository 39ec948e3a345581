/**
 * Matrix products of two checkouts of this project in turns, in one process: those of a type of weights with few and many rows, at the
 * shapes of SmolLM2-135M's layers and head.
 *
 *     deno run -A tests/bench/product_turns_bench.ts BEFORE [AFTER] [--type f16] [--rows 1,2,4,8,64] [--kind nt,nn]
 *         [--shapes 960x576,...] [--family broadcast] [--rounds 15] [--cpu]
 *
 * BEFORE and AFTER are folders, AFTER this one if left out. Shapes are outputs x inputs of a weight. Kinds: nt, the forward product; nn, the
 * way back; mix, the same where most of its rows' terms are 0.
 */
import { parseArgs } from "node:util";
import type { Gpu } from "../../gpu/gpu.ts";
import { root } from "../support/places.ts";
import { inTurns, type Side } from "./support/in_turns.ts";

const { values, positionals: [before, after = root] } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: "string", default: "f16" },
    rows: { type: "string", default: "1,2,4,8,64" },
    kind: { type: "string", default: "nt,nn" },
    shapes: { type: "string", default: "960x576,576x576,3072x576,576x1536" },
    family: { type: "string", default: "broadcast" },
    rounds: { type: "string", default: "15" },
    cpu: { type: "boolean", default: false },
  },
});
if (before === undefined) throw new Error("Cannot compare: the folder of another checkout is needed");
const works = values.kind.split(",").flatMap((kind) =>
  values.shapes.split(",").flatMap((shape) =>
    values.rows.split(",").map((m) => ({ kind, shape: shape.split("x").map(Number), m: Number(m) }))
  )
);

/** The products of a checkout, on a device of its own. */
async function open(folder: string): Promise<Side> {
  const load = (file: string) => import(`file://${Deno.realPathSync(folder)}/${file}`);
  const { openGpu } = await load("gpu/device/open_gpu.ts");
  const gpu: Gpu = await openGpu({ matmulFamily: values.family });
  const { createMatrix } = await load("gpu/matrix.ts");
  const { matmulNN, matmulNT } = await load("gpu/ops/matmul/matmul.ts");
  const products = works.map(({ kind, shape: [n, k], m }) => {
    const [x, y] = [k, n].map((width) => gpu.arena.create([m, width], "f32", "rows"));
    const sparse = new Float32Array(m * n).map((_, i) => i % n % 97 === 0 ? 1 : 0);
    if (kind === "mix") gpu.commands.upload(y, sparse);
    const weight = createMatrix(gpu, n, k, values.type, "weight");
    const product = kind === "nt"
      ? () => matmulNT(gpu, x, weight, y)
      : () => matmulNN(gpu, y, weight, x, { sparse: kind === "mix" });
    return { product, wait: kind === "nt" ? y : x };
  });
  return async (work, repeats) => {
    const { product, wait } = products[work];
    for (let i = 0; i < repeats; i++) product();
    await gpu.reader.read(wait);
  };
}

const names = works.map(({ kind, shape, m }) => `${kind} ${values.type} ${shape.join("x")}, ${m} rows`);
const clock = values.cpu ? "cpu" : "wall";
console.log(
  await inTurns(names, [await open(before), await open(after)], {
    rounds: Number(values.rounds),
    most: 300,
    clock,
  }),
);
Deno.exit(0);
