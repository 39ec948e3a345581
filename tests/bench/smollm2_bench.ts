/**
 * Prefill and decoding of a real model, each in turn with the chain of its own matrix products alone, and beside them
 * llama.cpp on the same file: tokens a second and ratios. Decoding of 64 texts is also told as a multiple of that of one.
 *
 *     deno run -A tests/bench/smollm2_bench.ts [--model ../shared/models/smollm2-135m-instruct] [--weights packed]
 *         [--prefill 512] [--rounds 3] [--python PATH [--vulkan DIR]] [--profile] [--json]
 *
 * --python: a Python with llama-cpp-python: on the CPU with two threads; with --vulkan DIR, a folder with a build of its
 * library with ggml-vulkan, on this very device instead, which the software device takes minutes for. --profile: the time of each
 * kernel of prefill, and of decoding at both batches.
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import type { Scratch } from "../../gpu/arena.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { Matrix } from "../../gpu/matrix.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { findModel } from "../../model/files/find_model.ts";
import { attentionFlops, blockFlops, headFlops } from "../../model/transformer/flops.ts";
import { generate } from "../../model/generation/generate.ts";
import { logits } from "../../model/transformer/head.ts";
import { createKvCache } from "../../model/transformer/kv_cache.ts";
import { STRIDE } from "../../model/transformer/stride_steps.ts";
import { packRows, uploadLayout } from "../../model/transformer/packing.ts";
import { qkvWidth } from "../../model/transformer/params.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { finalNorm, forwardCached } from "../../model/transformer/transformer.ts";
import type { WeightForm } from "../../model/weights/weight_types.ts";
import { openLlama } from "./support/llama_peer.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "../shared/models/smollm2-135m-instruct" },
    weights: { type: "string", default: "packed" },
    prefill: { type: "string", default: "512" },
    rounds: { type: "string", default: "3" },
    python: { type: "string" },
    vulkan: { type: "string" },
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [promptTokens, rounds] = [Number(values.prefill), Number(values.rounds)];
/** Decoding begins after so many tokens, and goes on for so many steps, at batches of one and of many. */
const [BEFORE, ONE, MANY] = [16, 64, 16];
const BATCH = 64;
/** On a software device ggml-vulkan takes half a second a token. */
const PEER_STEPS = values.vulkan ? 4 : ONE;

const gpu = await openGpu({ profile: values.profile });
const found = await findModel(gpu, values.model, { weights: values.weights as WeightForm });
const { model } = found;
const { config, params } = model;
const peer = values.python ? await openLlama(values.python, ggufOf(values.model), values.vulkan) : undefined;

function ggufOf(name: string): string {
  if (name.endsWith(".gguf")) return name;
  const file = [...Deno.readDirSync(name)].find(({ name }) => name.endsWith(".gguf"));
  if (!file) throw new Error(`Cannot compare with llama.cpp: ${name} has no .gguf`);
  return `${name}/${file.name}`;
}

const tokenIds = (count: number) =>
  Uint32Array.from({ length: count }, (_, i) => (7 * i + 3) % config.usedVocabSize);

const probe = gpu.arena.create([1], "f32", "probe");
async function secondsOf(record: (scratch: Scratch) => void): Promise<number> {
  using scratch = gpu.arena.scratch();
  const started = performance.now();
  record(scratch);
  await gpu.reader.read(probe);
  return (performance.now() - started) / 1000;
}

/** All blocks over a prompt, its keys and values into a cache, and the logits of its last token. */
function prefill(scratch: Scratch): void {
  const [rows, d] = [promptTokens, config.hiddenSize];
  const cache = createKvCache(scratch, config, rows);
  const ids = scratch.u32([rows], "ids");
  const last = scratch.u32([1], "last");
  gpu.commands.upload(ids, tokenIds(rows));
  gpu.commands.upload(last, Uint32Array.of(rows - 1));
  const run = { rows, prefixStart: 0, prefixLen: 0, ownStart: 0, position: 0 };
  const layout = uploadLayout(gpu, scratch, packRows([run], gpu.subgroupSize));
  const x = scratch.f32([rows, d], "rows");
  gather(gpu, params.embedding, ids, x);
  forwardCached(model, x, cache, { ...layout, shift: 0 });
  const [output, y] = [scratch.f32([1, d], "output"), scratch.f32([1, d], "normed")];
  gather(gpu, x, last, output);
  finalNorm(model, output, y, scratch.f32([1], "rinv"));
  logits(model, y, scratch);
}

/** The matrix products of a pass alone: `rows` through all blocks, `headRows` through the head; `times` over. */
function chain(rows: number, headRows: number, times: number, scratch: Scratch): void {
  const { hiddenSize: d, intermediateSize: f, heads, headDim, vocabSize } = config;
  const make = (count: number, cols: number, name: string) => scratch.f32([count, cols], name);
  const x = make(rows, d, "x");
  const [qkv, attention] = [make(rows, qkvWidth(config), "qkv"), make(rows, heads * headDim, "attention")];
  const [gateUp, hidden] = [make(rows, 2 * f, "gates"), make(rows, f, "hidden")];
  const [y, z] = [make(headRows, d, "y"), make(headRows, vocabSize, "z")];
  const product = (from: typeof x, weight: Matrix, to: typeof x, accumulate = false) =>
    matmulNT(gpu, from, weight, to, { accumulate });
  for (let i = 0; i < times; i++) {
    for (const layer of params.layers) {
      product(x, layer.qkv, qkv);
      product(attention, layer.attentionOut, x, true);
      product(x, layer.gateUp, gateUp);
      product(hidden, layer.down, x, true);
    }
    product(y, params.head, z);
  }
}

/** Seconds of the steps after the first few, at which the prompt has been read. */
async function decode(batch: number, steps: number): Promise<number> {
  using scratch = gpu.arena.scratch();
  let started = 0;
  await generate(model, found.tokenizer, {
    prompts: [[...tokenIds(BEFORE)]],
    group: batch,
    rolloutIds: Uint32Array.from({ length: batch }, (_, i) => i),
    thinking: wayOfThinking("hard", { greedy: true, gamma: 0, embeddingRms: 1 }),
    rules: thinkingRules(found.tokenizer, { maxThinking: steps + STRIDE, maxAnswer: 1, endTokenIds: [] }),
    answerTau: 0,
    plain: true,
    seed: 0,
    step: 1,
    readBehind: false,
    onTokens: () => void (started ||= performance.now()),
  }, scratch);
  return (performance.now() - started) / 1000;
}

interface Contender {
  name: string;
  tokens: number;
  /** Useful operations; none where nobody counts them. */
  flops?: number;
  seconds(): Promise<number>;
}

const inPhase = (phase: string, seconds: () => Promise<number>) => () => {
  gpu.profile.phase = phase;
  return seconds();
};
const ours = (name: string, tokens: number, flops: number, seconds: () => Promise<number>): Contender => ({
  name,
  tokens,
  flops,
  seconds: inPhase(name, seconds),
});
const row = blockFlops(config) + headFlops(config);
const products = (rows: number, headRows: number, times: number): Contender =>
  ours(
    `products of ${rows} rows`,
    rows * times,
    times * (rows * blockFlops(config) + headRows * headFlops(config)),
    () => secondsOf((scratch) => chain(rows, headRows, times, scratch)),
  );
const decoding = (batch: number, steps: number): Contender =>
  ours(
    `decode at batch ${batch}`,
    batch * steps,
    batch * (steps * row + attentionFlops(config, BEFORE + STRIDE, steps)),
    () => decode(batch, steps),
  );
const theirs = (name: string, tokens: number, request: string): Contender => ({
  name: `llama.cpp ${name}`,
  tokens,
  seconds: () => peer!.seconds(request),
});
const contenders: Contender[] = [
  ours(
    `prefill of ${promptTokens}`,
    promptTokens,
    promptTokens * blockFlops(config) + headFlops(config) + attentionFlops(config, 0, promptTokens),
    () => secondsOf(prefill),
  ),
  products(promptTokens, 1, 1),
  decoding(1, ONE),
  products(1, 1, MANY),
  decoding(BATCH, MANY),
  products(BATCH, BATCH, 4),
  ...(peer
    ? [
      theirs(`prefill of ${promptTokens}`, promptTokens, `prefill ${promptTokens}`),
      theirs("decode at batch 1", PEER_STEPS, `decode ${PEER_STEPS}`),
    ]
    : []),
  ...(peer && !values.vulkan
    ? [theirs(`decode at batch ${BATCH}`, BATCH * MANY, `batch ${BATCH} ${MANY}`)]
    : []),
];

const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  for (const { name, tokens, seconds } of contenders) {
    const rate = tokens / await seconds();
    if (round > 0) rates.get(name)!.push(rate); // kernels are compiled
  }
}
peer?.close();

const rateOf = (name: string) => median(rates.get(name)!);
/** The median of the rounds' own ratios: what else the machine does meets both sides. */
const ratio = (over: string, under: string) =>
  median(rates.get(over)!.map((rate, i) => rate / rates.get(under)![i]));
const pairs: [string, string][] = [
  [`prefill of ${promptTokens}`, `products of ${promptTokens} rows`],
  ["decode at batch 1", "products of 1 rows"],
  [`decode at batch ${BATCH}`, `products of ${BATCH} rows`],
  [`decode at batch ${BATCH}`, "decode at batch 1"],
  ...contenders.filter(({ name }) => name.startsWith("llama.cpp")).map(({ name }): [string, string] => [
    name.replace("llama.cpp ", ""),
    name,
  ]),
];
const report = {
  device: gpu.adapter.name,
  model: values.model,
  weights: values.weights,
  rounds,
  rates: contenders.map(({ name, tokens, flops }) => ({
    name,
    tokensPerSecond: rateOf(name),
    best: Math.max(...rates.get(name)!),
    ...(flops === undefined ? {} : { gflops: flops / tokens * rateOf(name) / 1e9 }),
  })),
  ratios: pairs.map(([over, under]) => ({ over, under, ratio: ratio(over, under) })),
};
if (values.json) console.log(JSON.stringify(report));
else {
  console.log(`device: ${report.device}; ${values.weights} weights; medians of ${rounds} rounds`);
  console.log(table(
    report.rates.map(({ name, tokensPerSecond, best, gflops }) => [
      name,
      tokensPerSecond.toFixed(1),
      best.toFixed(1),
      gflops?.toFixed(1) ?? "",
    ]),
    { header: ["what", "tokens/s", "best", "GFLOP/s"] },
  ));
  console.log(table(
    report.ratios.map(({ over, under, ratio }) => [over, under, ratio.toFixed(2)]),
    { header: ["ratio of", "to", ""] },
  ));
}
if (values.profile) {
  const times = (await gpu.profile.report()).filter(({ phase }) => !phase.startsWith("products"));
  const total = (of: string) =>
    times.filter(({ phase }) => phase === of).reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const shown = times.toSorted((a, b) => a.phase.localeCompare(b.phase));
  console.log(table(
    shown.map(({ phase, label, nanoseconds, dispatches }) => [
      phase,
      label,
      dispatches,
      (nanoseconds / 1e6).toFixed(1),
      (nanoseconds / dispatches / 1e3).toFixed(0),
      (100 * nanoseconds / total(phase)).toFixed(1),
    ]),
    { header: ["part", "kernel", "dispatches", "ms", "us each", "%"], align: ["left", "left"] },
  ));
}
gpu.close();
Deno.exit(0);
