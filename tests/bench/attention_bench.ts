/**
 * Attention's kernels in turns, microseconds of each and their ratio: decoding by a lane a row and head beside a subgroup a row
 * and group of heads, over contexts and batches; tiles (prefill, training) with one row a lane beside two.
 *
 *     deno run -A tests/bench/attention_bench.ts [--heads 9] [--kv-heads 3] [--head-dim 64] [--contexts 128,512,4096]
 *         [--batches 1,8,64] [--lengths 34,512] [--rounds 5] [--json]
 *
 * --lengths: of the sequences of a training pass, some 1,024 rows of them. Ratios are medians of the rounds' own.
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { attentionBackward, attentionTiles } from "../../gpu/ops/attention/tiles.ts";
import { attentionRows } from "../../gpu/ops/attention/decode.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { packRows, uploadLayout } from "../../model/transformer/packing.ts";

const { values } = parseArgs({
  options: {
    heads: { type: "string", default: "9" },
    "kv-heads": { type: "string", default: "3" },
    "head-dim": { type: "string", default: "64" },
    contexts: { type: "string", default: "128,512,4096" },
    batches: { type: "string", default: "1,8,64" },
    lengths: { type: "string", default: "34,512" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const numbers = (text: string) => text.split(",").filter((part) => part !== "").map(Number);
const shape = {
  heads: Number(values.heads),
  kvHeads: Number(values["kv-heads"]),
  headDim: Number(values["head-dim"]),
};
const gpu = await openGpu();
const [width, kvWidth] = [shape.heads * shape.headDim, shape.kvHeads * shape.headDim];
const probe = gpu.arena.create([1], "f32", "probe");

function random(rows: number, cols: number, name: string): Tensor {
  const tensor = gpu.arena.create([rows, cols], "f32", name);
  gpu.commands.upload(tensor, Float32Array.from({ length: rows * cols }, () => Math.random() - 0.5));
  return tensor;
}

// A round is repeated within one wait for the device until it takes so long.
const ROUND_MS = 40;

/** Microseconds of each of two ways, and the median of the rounds' ratios. */
async function inTurns(ways: readonly [() => void, () => void]) {
  const once = async (way: () => void, times: number) => {
    const started = performance.now();
    for (let i = 0; i < times; i++) way();
    await gpu.reader.read(probe);
    return (performance.now() - started) / times;
  };
  const times: number[] = [];
  for (const way of ways) {
    await once(way, 1); // compiles
    times.push(Math.max(1, Math.min(300, Math.ceil(ROUND_MS / await once(way, 2)))));
  }
  const spent: number[][] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, way] of ways.entries()) spent[i].push(1e3 * await once(way, times[i]));
  }
  return { us: spent.map(median), ratio: median(spent[0].map((time, i) => time / spent[1][i])) };
}

interface Row {
  what: string;
  us: number[];
  ratio: number;
}

async function decoding(context: number, batch: number): Promise<Row> {
  const [q, out] = [random(batch, width, "q"), random(batch, width, "out")];
  const kv = { k: random(context + batch, kvWidth, "k"), v: random(context + batch, kvWidth, "v") };
  const meta = gpu.arena.create([batch, 4], "u32", "row meta");
  const metas = Array.from({ length: batch }, (_, row) => [0, context - 1, context - 1 + row, context - 1]);
  gpu.commands.upload(meta, Uint32Array.from(metas.flat()));
  const way = (by: "rows" | "groups") => () => attentionRows(gpu, shape, q, kv, meta, out, 0, by);
  const result = await inTurns([way("rows"), way("groups")]);
  for (const tensor of [q, out, kv.k, kv.v, meta]) gpu.arena.free(tensor);
  return { what: `decoding ${batch} rows over ${context} keys`, ...result };
}

async function tiles(length: number): Promise<Row[]> {
  using scratch = gpu.arena.scratch();
  const sequences = Math.ceil(1024 / length);
  const rows = sequences * length;
  const make = (cols: number) => scratch.f32([rows, cols], "rows");
  const [q, k, v, dout] = [width, kvWidth, kvWidth, width].map((cols, i) =>
    random(rows, cols, `random ${i}`)
  );
  const [out, dq] = [make(width), make(width)];
  const [dkv, lse] = [{ k: make(kvWidth), v: make(kvWidth) }, make(shape.heads)];
  const runs = Array.from({ length: sequences }, (_, i) => (
    { rows: length, prefixStart: 0, prefixLen: 0, ownStart: i * length, position: 0 }
  ));
  const two = uploadLayout(gpu, scratch, packRows(runs, gpu.subgroupSize));
  const cut = Array.from({ length: sequences }, (_, i) => {
    const starts = Array.from(
      { length: Math.ceil(length / gpu.subgroupSize) },
      (_, j) => j * gpu.subgroupSize,
    );
    return starts.map((
      at,
    ) => [i * length + at, Math.min(gpu.subgroupSize, length - at), (i + 1) * length, 0]);
  }).flat(2);
  const one = { rowMeta: two.rowMeta, tiles: scratch.u32([cut.length / 4, 4], "tiles") };
  gpu.commands.upload(one.tiles, Uint32Array.from(cut));
  const forward = (layout: typeof one) => () => attentionTiles(gpu, shape, q, { k, v }, layout, out, lse);
  const backward = (layout: typeof one) => () =>
    attentionBackward(gpu, shape, { q, kv: { k, v }, out, lse }, layout, dout, dq, dkv);
  const what = `${sequences} sequences of ${length}`;
  const found = [
    { what: `forward, ${what}`, ...await inTurns([forward(one), forward(two)]) },
    { what: `backward, ${what}`, ...await inTurns([backward(one), backward(two)]) },
  ];
  for (const tensor of [q, k, v, dout]) gpu.arena.free(tensor);
  return found;
}

const decoded: Row[] = [];
for (const context of numbers(values.contexts)) {
  for (const batch of numbers(values.batches)) decoded.push(await decoding(context, batch));
}
const tiled: Row[] = [];
for (const length of numbers(values.lengths)) tiled.push(...await tiles(length));
if (values.json) console.log(JSON.stringify({ device: gpu.adapter.name, ...shape, decoded, tiled }));
else {
  console.log(`device: ${gpu.adapter.name}; ${shape.heads} heads on ${shape.kvHeads} of ${shape.headDim}`);
  const show = (rows: Row[], header: string[]) =>
    console.log(table(
      rows.map(({ what, us, ratio }) => [what, ...us.map((time) => time.toFixed(0)), ratio.toFixed(2)]),
      { header: ["us of", ...header, "ratio"] },
    ));
  show(decoded, ["a lane a row and head", "a subgroup a group"]);
  show(tiled, ["one row a lane", "two rows a lane"]);
}
gpu.close();
Deno.exit(0);
