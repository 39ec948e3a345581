/**
 * How costs grow with context, rollouts of a prompt, width and vocabulary, on models of random weights and one or two layers:
 * measured seconds beside those of the law that is expected, fitted by least squares of relative errors (`fit_law.ts`).
 *
 *     deno run -A tests/bench/growth_bench.ts [--parts decode,prefill,group,width,vocabulary] [--rounds 3] [--json]
 *
 * Sizes of a part take turns; what counts is each one's fastest round, since other programs only ever add to a time.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/table.ts";
import type { Scratch } from "../../gpu/arena.ts";
import { openGpu } from "../../gpu/device.ts";
import type { ModelConfig } from "../../model/config.ts";
import { initialise } from "../../model/init.ts";
import { createKvCache } from "../../model/generation/kv_cache.ts";
import { packRows, uploadLayout } from "../../model/packing.ts";
import { createModel, forwardCached, freeModel, type Model } from "../../model/transformer.ts";
import { type Fit, fitLaw, type Law } from "./fit_law.ts";
import { rolloutSteps, shapeLogits, shapeOf } from "./rollout_steps.ts";

const PARTS = ["decode", "prefill", "group", "width", "vocabulary"];
const { values } = parseArgs({
  options: {
    parts: { type: "string", default: PARTS.join(",") },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const gpu = await openGpu();

const constant = () => 1;
const linear = (n: number) => n;
const square = (n: number) => n * n;

/** Sizes and seconds of one line of growth. */
interface Series {
  name: string;
  law: Law;
  sizes: number[];
  /** The fastest round of each size. */
  seconds: number[];
}

function modelOf(changes: Partial<ModelConfig>): Model {
  const config = shapeOf(changes);
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, 0);
  return model;
}

const probe = gpu.arena.create([1], "f32", "probe");
/** Seconds of one of `times` repetitions, after which the device is waited for once. */
async function secondsOf(record: () => void, times: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < times; i++) record();
  await gpu.reader.read(probe);
  return (performance.now() - started) / 1000 / times;
}

/** The fastest of the rounds for each size; all take turns, the first round compiles. */
async function fastest(
  sizes: readonly number[],
  seconds: (size: number) => Promise<number>,
): Promise<number[]> {
  const best = sizes.map(() => Infinity);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, size] of sizes.entries()) {
      const time = await seconds(size);
      if (round > 0) best[i] = Math.min(best[i], time);
    }
  }
  return best;
}

const CONTEXTS = [128, 256, 512, 1024, 2048, 4096];

/** All blocks over `rows` rows at the end of a context of `n` tokens: what one step of decoding is made of. */
function decodeStep(model: Model, rows: number, n: number, scratch: Scratch): () => void {
  const cache = createKvCache(scratch, model.config, n + rows);
  const x = scratch.f32([rows, model.config.hiddenSize], "rows");
  const rowMeta = scratch.u32([rows, 4], "row meta");
  const metas = Array.from({ length: rows }, (_, row) => [0, n - 1, n - 1 + row, n - 1]);
  gpu.commands.upload(rowMeta, Uint32Array.from(metas.flat()));
  return () => forwardCached(model, x, cache, { rowMeta, shift: 0 });
}

async function decode(): Promise<Series[]> {
  const model = modelOf({});
  const seconds = await fastest(CONTEXTS, (n) => {
    using scratch = gpu.arena.scratch();
    return secondsOf(decodeStep(model, 8, n, scratch), 16);
  });
  freeModel(model);
  const law = { "1": constant, n: linear };
  return [{ name: "a step of decoding 8 rows, over context n", law, sizes: CONTEXTS, seconds }];
}

async function prefill(): Promise<Series[]> {
  const model = modelOf({});
  const seconds = await fastest(CONTEXTS, (n) => {
    using scratch = gpu.arena.scratch();
    const cache = createKvCache(scratch, model.config, n);
    const x = scratch.f32([n, model.config.hiddenSize], "rows");
    const run = { rows: n, prefixStart: 0, prefixLen: 0, ownStart: 0, position: 0 };
    const layout = uploadLayout(gpu, scratch, packRows([run], gpu.subgroupSize));
    return secondsOf(() => forwardCached(model, x, cache, { ...layout, shift: 0 }), Math.ceil(512 / n));
  });
  freeModel(model);
  const law = { "1": constant, n: linear, "n^2": square };
  return [{ name: "prefill of n tokens", law, sizes: CONTEXTS, seconds }];
}

async function group(): Promise<Series[]> {
  const model = modelOf({});
  const sizes = [1, 2, 4, 8, 16, 32, 64];
  const steps = 32;
  const seconds = await fastest(sizes, (n) => rolloutSteps(model, n, steps, "hard"));
  freeModel(model);
  return [{
    name: "a token of one of G rollouts",
    law: { "1": constant, "1/G": (n) => 1 / n },
    sizes,
    seconds: seconds.map((time, i) => time / steps / sizes[i]),
  }];
}

async function width(): Promise<Series[]> {
  const sizes = [128, 256, 512, 1024, 2048];
  const models = new Map(sizes.map((d) => [d, modelOf({ hiddenSize: d, layers: 1 })]));
  const law = { "1": constant, d: linear, "d^2": square };
  const series: Series[] = [];
  for (const rows of [1, 64]) {
    const seconds = await fastest(sizes, (d) => {
      using scratch = gpu.arena.scratch();
      return secondsOf(decodeStep(models.get(d)!, rows, 16, scratch), Math.ceil(2048 / d));
    });
    series.push({ name: `a layer of width d over ${rows} row${rows > 1 ? "s" : ""}`, law, sizes, seconds });
  }
  for (const model of models.values()) freeModel(model);
  return series;
}

const VOCABULARIES = [512, 2048, 8192, 32_000, 49_152, 128_256, 151_936];

async function vocabulary(): Promise<Series[]> {
  const [rollouts, steps] = [16, 8];
  const kinds = (["hard", "soft"] as const).flatMap((kind) =>
    (["peaked", "flat"] as const).map((shape) => ({ kind, shape, seconds: [] as number[] }))
  );
  for (const vocabSize of VOCABULARIES) {
    const model = modelOf({ vocabSize, layers: 1 });
    const best = await fastest(kinds.map((_, i) => i), (i) => {
      shapeLogits(model, kinds[i].shape);
      return rolloutSteps(model, rollouts, steps, kinds[i].kind);
    });
    kinds.forEach(({ seconds }, i) => seconds.push(best[i] / steps));
    freeModel(model);
  }
  return kinds.map(({ kind, shape, seconds }) => ({
    name: `a ${kind} step of ${rollouts} rollouts, vocabulary V, ${shape} distributions`,
    law: { "1": constant, V: linear },
    sizes: VOCABULARIES,
    seconds,
  }));
}

const measure: Record<string, () => Promise<Series[]>> = { decode, prefill, group, width, vocabulary };
const fitted: (Series & Fit)[] = [];
for (const part of values.parts.split(",")) {
  const series = await measure[part]?.();
  if (!series) throw new Error(`Cannot measure ${part}: one of ${PARTS.join(", ")} is needed`);
  fitted.push(...series.map((each) => ({ ...each, ...fitLaw(each.sizes, each.seconds, each.law) })));
  console.error(`${part} done`);
}

function describe({ name, sizes, seconds, coefficients, predicted, r2 }: Series & Fit): string {
  const law = Object.entries(coefficients).map(([term, factor]) =>
    `${(factor * 1e6).toPrecision(3)} us${term === "1" ? "" : ` ${term}`}`
  ).join(" + ");
  const rows = sizes.map((size, i) => [
    size,
    (seconds[i] * 1e3).toPrecision(4),
    (predicted[i] * 1e3).toPrecision(4),
    (seconds[i] / predicted[i]).toFixed(2),
  ]);
  return `${name}: ${law}; R^2 ${r2.toFixed(4)}\n${
    table(rows, { header: ["size", "ms", "law", "ms / law"] })
  }\n`;
}

if (values.json) {
  console.log(JSON.stringify({
    device: gpu.adapter.name,
    rounds,
    growth: fitted.map(({ law, ...rest }) => ({ ...rest, law: Object.keys(law) })),
  }));
} else {
  console.log(`device: ${gpu.adapter.name}; the fastest of ${rounds} rounds\n`);
  for (const each of fitted) console.log(describe(each));
}
gpu.close();
Deno.exit(0);
