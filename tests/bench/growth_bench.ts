/**
 * How costs grow with context, rollouts of a prompt, width and vocabulary, on models of random weights and one or two layers:
 * measured seconds, and bytes that the device holds at the peak, weights included, beside those of the law that is expected,
 * fitted by least squares of relative errors (`support/fit_law.ts`).
 *
 *     deno run -A tests/bench/growth_bench.ts [--parts decode,prefill,group,width,vocabulary,training] [--rounds 3] [--json]
 *
 * Sizes of a part take turns; what counts is each one's fastest round, since other programs only ever add to a time. Part
 * `training` has bytes alone, those of the forecast (`rl/memory/training_need.ts`), which `memory_bench.ts` holds against real ones.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import type { Scratch } from "../../gpu/arena.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { countWeights } from "../../model/memory/count_weights.ts";
import { createKvCache } from "../../model/transformer/kv_cache.ts";
import { packRows, uploadLayout } from "../../model/transformer/packing.ts";
import { forwardCached, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { dryThinking } from "../../model/memory/generation_memory.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import { randomModel } from "../model/support/small_models.ts";
import { type Fit, fitLaw, type Law } from "./support/fit_law.ts";
import { rolloutSteps, shapeLogits, shapeOf } from "./support/rollout_steps.ts";

const PARTS = ["decode", "prefill", "group", "width", "vocabulary", "training"];
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

/** One line of growth: seconds of the fastest round of each size, or bytes at the peak. */
interface Series {
  name: string;
  law: Law;
  sizes: readonly number[];
  unit: "s" | "bytes";
  measured: number[];
}

/** What a size costs. */
interface Cost {
  seconds: number;
  bytes: number;
}

/** The two lines of a measurement. */
const bothOf = (
  name: string,
  sizes: readonly number[],
  costs: readonly Cost[],
  seconds: { law: Law; per?: (size: number) => number; name?: string },
  bytes: Law,
): Series[] => [
  {
    ...{ name: seconds.name ?? name, law: seconds.law, sizes, unit: "s" },
    measured: costs.map((cost, i) => cost.seconds / (seconds.per?.(sizes[i]) ?? 1)),
  },
  { name: `memory of ${name}`, law: bytes, sizes, unit: "bytes", measured: costs.map(({ bytes }) => bytes) },
];

const modelOf = (changes: Partial<ModelConfig>): Model => randomModel(gpu, shapeOf(changes));

const probe = gpu.arena.create([1], "f32", "probe");
/** Seconds of one of `times` repetitions, after which the device is waited for once. */
async function secondsOf(record: () => void, times: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < times; i++) record();
  await gpu.reader.read(probe);
  return (performance.now() - started) / 1000 / times;
}

/** The fastest of the rounds for each size, and the bytes it holds; all take turns, the first round compiles. */
async function fastest(
  sizes: readonly number[],
  seconds: (size: number) => Promise<number>,
  modelBytes: (size: number) => number,
): Promise<Cost[]> {
  const best = sizes.map((size): Cost => ({ seconds: Infinity, bytes: modelBytes(size) }));
  for (let round = 0; round <= rounds; round++) {
    for (const [i, size] of sizes.entries()) {
      if (round === 0) gpu.arena.trim();
      const before = gpu.arena.bytes;
      const time = await seconds(size);
      // What a scope leaves waits for the next one: after a trim, all that was ever held at once.
      if (round === 0) best[i].bytes += gpu.arena.bytes - before;
      else best[i].seconds = Math.min(best[i].seconds, time);
    }
  }
  return best;
}

/** Bytes of a model's weights and table. */
const bytesOf = ({ config, ropeTable }: Model): number => 4 * countWeights(config) + ropeTable.storage.bytes;

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
  const costs = await fastest(CONTEXTS, (n) => {
    using scratch = gpu.arena.scratch();
    return secondsOf(decodeStep(model, 8, n, scratch), 16);
  }, () => bytesOf(model));
  freeModel(model);
  const law = { "1": constant, n: linear };
  return bothOf("a step of decoding 8 rows, over context n", CONTEXTS, costs, { law }, law);
}

async function prefill(): Promise<Series[]> {
  const model = modelOf({});
  const costs = await fastest(CONTEXTS, (n) => {
    using scratch = gpu.arena.scratch();
    const cache = createKvCache(scratch, model.config, n);
    const x = scratch.f32([n, model.config.hiddenSize], "rows");
    const run = { rows: n, prefixStart: 0, prefixLen: 0, ownStart: 0, position: 0 };
    const layout = uploadLayout(gpu, scratch, packRows([run], gpu.subgroupSize));
    return secondsOf(() => forwardCached(model, x, cache, { ...layout, shift: 0 }), Math.ceil(512 / n));
  }, () => bytesOf(model));
  freeModel(model);
  const law = { "1": constant, n: linear, "n^2": square };
  return bothOf("prefill of n tokens", CONTEXTS, costs, { law }, { "1": constant, n: linear });
}

async function group(): Promise<Series[]> {
  const model = modelOf({});
  const sizes = [1, 2, 4, 8, 16, 32, 64];
  const steps = 32;
  const costs = await fastest(sizes, (n) => rolloutSteps(model, n, steps, "hard"), () => bytesOf(model));
  freeModel(model);
  const law = { "1": constant, "1/G": (n: number) => 1 / n };
  const name = "a token of one of G rollouts";
  return bothOf("G rollouts", sizes, costs, { law, per: (n) => n * steps, name }, {
    "1": constant,
    G: linear,
  });
}

async function width(): Promise<Series[]> {
  const sizes = [128, 256, 512, 1024, 2048];
  const models = new Map(sizes.map((d) => [d, modelOf({ hiddenSize: d, layers: 1 })]));
  const law = { "1": constant, d: linear, "d^2": square };
  const series: Series[] = [];
  for (const rows of [1, 64]) {
    const costs = await fastest(sizes, (d) => {
      using scratch = gpu.arena.scratch();
      return secondsOf(decodeStep(models.get(d)!, rows, 16, scratch), Math.ceil(2048 / d));
    }, (d) => bytesOf(models.get(d)!));
    const name = `a layer of width d over ${rows} row${rows > 1 ? "s" : ""}`;
    series.push(...bothOf(name, sizes, costs, { law }, law));
  }
  for (const model of models.values()) freeModel(model);
  return series;
}

const VOCABULARIES = [512, 2048, 8192, 32_000, 49_152, 128_256, 151_936];

async function vocabulary(): Promise<Series[]> {
  const [rollouts, steps] = [16, 8];
  const kinds = (["hard", "soft"] as const).flatMap((kind) =>
    (["peaked", "flat"] as const).map((shape) => ({ kind, shape, costs: [] as Cost[] }))
  );
  for (const vocabSize of VOCABULARIES) {
    const model = modelOf({ vocabSize, layers: 1 });
    const best = await fastest(kinds.map((_, i) => i), (i) => {
      shapeLogits(model, kinds[i].shape);
      return rolloutSteps(model, rollouts, steps, kinds[i].kind);
    }, () => bytesOf(model));
    kinds.forEach(({ costs }, i) => costs.push(best[i]));
    freeModel(model);
  }
  const law = { "1": constant, V: linear };
  return kinds.flatMap(({ kind, shape, costs }) => {
    const name = `a ${kind} step of ${rollouts} rollouts, vocabulary V, ${shape} distributions`;
    const both = bothOf(name, VOCABULARIES, costs, { law, per: () => steps }, law);
    return shape === "flat" ? both.slice(0, 1) : both; // shapes of numbers take no memory
  });
}

/** Bytes of a soft training at its peak: 2 questions of 64 tokens x 8 rollouts of up to 192, one micro-batch. */
async function training(): Promise<Series[]> {
  const lengths = {
    questions: 2,
    group: 8,
    promptTokens: 64,
    maxThinking: 160,
    answerTokens: 24,
    forcedTokens: 8,
  };
  const shape = { ...lengths, microRows: 2 ** 20, recompute: false, thinking: dryThinking("soft") };
  const grow = async (
    name: string,
    sizes: readonly number[],
    law: Law,
    of: (size: number) => { config?: Partial<ModelConfig>; shape?: Partial<typeof shape> },
  ): Promise<Series> => {
    const measured: number[] = [];
    for (const size of sizes) {
      const { config = {}, shape: changes } = of(size);
      const need = await trainingNeed(shapeOf(config), { ...shape, ...changes }, { facts: gpu });
      measured.push(need.total);
    }
    return { name: `memory of training, ${name}`, law, sizes, unit: "bytes", measured };
  };
  const affine = (name: string): Law => ({ "1": constant, [name]: linear });
  const widths = [128, 256, 512, 1024, 2048];
  return [
    await grow("context n", CONTEXTS, affine("n"), (n) => ({ shape: { maxThinking: n - 96 } })),
    await grow(
      "G rollouts of a prompt",
      [2, 4, 8, 16, 32, 64],
      affine("G"),
      (group) => ({ shape: { group } }),
    ),
    await grow("width d", widths, { ...affine("d"), "d^2": square }, (d) => ({ config: { hiddenSize: d } })),
    await grow("vocabulary V", VOCABULARIES, affine("V"), (vocabSize) => ({ config: { vocabSize } })),
  ];
}

const measure: Record<string, () => Promise<Series[]>> = {
  ...{ decode, prefill, group, width, vocabulary, training },
};
const fitted: (Series & Fit)[] = [];
for (const part of values.parts.split(",")) {
  const series = await measure[part]?.();
  if (!series) throw new Error(`Cannot measure ${part}: one of ${PARTS.join(", ")} is needed`);
  fitted.push(...series.map((each) => ({ ...each, ...fitLaw(each.sizes, each.measured, each.law) })));
  console.error(`${part} done`);
}

const UNITS = {
  s: { term: "us", scale: 1e6, cell: "ms", cellScale: 1e3 },
  bytes: { term: "KiB", scale: 2 ** -10, cell: "MiB", cellScale: 2 ** -20 },
};

function describe({ name, sizes, unit, measured, coefficients, predicted, r2 }: Series & Fit): string {
  const { term: termUnit, scale, cell, cellScale } = UNITS[unit];
  const law = Object.entries(coefficients).map(([term, factor]) =>
    `${(factor * scale).toPrecision(3)} ${termUnit}${term === "1" ? "" : ` ${term}`}`
  ).join(" + ");
  const rows = sizes.map((size, i) => [
    size,
    (measured[i] * cellScale).toPrecision(4),
    (predicted[i] * cellScale).toPrecision(4),
    (measured[i] / predicted[i]).toFixed(2),
  ]);
  return `${name}: ${law}; R^2 ${r2.toFixed(4)}\n${
    table(rows, { header: ["size", cell, "law", `${cell} / law`] })
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
