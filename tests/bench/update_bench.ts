/**
 * The update alone (objective, backward pass and optimizer) on one batch of soft rollouts of the embedded model, beside
 * a matrix product of 1024^3 in the same run: useful GFLOP/s of both and their ratio; with --profile, time by kernel.
 *
 *     deno run -A tests/bench/update_bench.ts [--profile] [--large] [--python PATH]
 *
 * --large: a model of 12 layers and width 512 (head size 64, grouped) with random weights instead. --python: a Python with
 * PyTorch, whose update of the same rollouts on the CPU with two threads takes its turns (`pytorch_update.py`).
 */
import { table } from "../../cli/table.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { promptIds } from "../../eval/prompt_ids.ts";
import { openGpu } from "../../gpu/device.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { matmulNT } from "../../gpu/ops/matmul.ts";
import { builtinTokenizer } from "../../model/builtin/tokenizer.ts";
import type { ModelConfig } from "../../model/config.ts";
import { findModel } from "../../model/find_model.ts";
import { initialise } from "../../model/init.ts";
import { createParams, zeroParams } from "../../model/params.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { createModel } from "../../model/transformer.ts";
import { updateFlops } from "../../rl/flops.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import { createOptimizer, optimizerStep } from "../../rl/optimizer.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import { openTimed } from "./timed_process.ts";

const profile = Deno.args.includes("--profile");
const large = Deno.args.includes("--large");
const pythonAt = Deno.args.indexOf("--python") + 1;
const gpu = await openGpu({ profile });

const LARGE: ModelConfig = {
  architecture: "llama",
  vocabSize: 2048,
  hiddenSize: 512,
  layers: 12,
  heads: 8,
  kvHeads: 4,
  headDim: 64,
  intermediateSize: 1376,
  normEps: 1e-5,
  ropeTheta: 10000,
  tied: true,
  qkvBias: false,
  qkNorm: false,
  maxPosition: 1024,
  eosTokenIds: [],
  usedVocabSize: 2048,
};

function randomModel(config: ModelConfig) {
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, 0);
  return { model, tokenizer: builtinTokenizer() };
}

const { model, tokenizer } = large ? randomModel(LARGE) : await findModel(gpu, "builtin");
const { config } = model;
const [questions, group, steps] = large ? [1, 16, 30] : [8, 16, 30];
const rounds = large ? 4 : 10;
const hidden = gpu.arena.create([questions * group, steps, config.hiddenSize], "f32", "hidden");
const groups = Array.from({ length: questions }, (_, b): ScoredGroup => ({
  prompt: promptIds(tokenizer, sums.prompt(sums.question("train", 0, b).question)),
  rollouts: Array.from({ length: group }, (_, g) => ({
    id: b * group + g,
    slot: b * group + g,
    thinking: Array.from({ length: steps - g }, (_, t) => t % 70),
    forced: [5],
    answer: [1, 2, 3],
    advantage: g % 2 - 0.5,
  })),
}));
const grads = createParams(gpu, config, "f32", "gradient");
const optimizer = createOptimizer(gpu, config);
const settings = {
  lr: 0,
  warmup: 0,
  steps: 1,
  finalLr: 1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
};

async function update(): Promise<void> {
  zeroParams(gpu, grads);
  const fetch = accumulateGradient(model, grads, groups, {
    thinking: gaussianThinking("soft", 0.5, 0.01),
    hidden,
    scale: 1 / (questions * group),
    seed: 0,
    step: 1,
    clipStep: 0,
    thinkingWeight: 1,
    recompute: false,
  });
  optimizerStep(gpu, model.params, grads, optimizer, settings, 1);
  await gpu.reader.read(optimizer.norm);
  await fetch();
}

const size = 1024;
const a = gpu.arena.create([size, size], "f32", "a");
const c = gpu.arena.create([size, size], "f32", "c");
const w = createMatrix(gpu, size, size, "f32", "w");
async function peak(): Promise<void> {
  for (let i = 0; i < 4; i++) matmulNT(gpu, a, w, c);
  await gpu.reader.read(optimizer.norm);
}

const shape = JSON.stringify({
  config,
  prompts: groups.map(({ prompt }) => prompt.length),
  group,
  steps,
  tail: 4,
});
const torch = pythonAt > 0 ? await openTimed(Deno.args[pythonAt], "pytorch_update.py", [shape]) : undefined;

const useful = updateFlops(config, [groups], true);
const work = { update: useful, peak: 4 * 2 * size ** 3, torch: useful };
const rates: Record<keyof typeof work, number[]> = { update: [], peak: [], torch: [] };
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of [["update", update], ["peak", peak]] as const) {
    const started = performance.now();
    await run();
    if (round > 0) rates[name].push(work[name] / (performance.now() - started) / 1e6);
  }
  const seconds = await torch?.seconds("update");
  if (seconds !== undefined && round > 0) rates.torch.push(work.torch / seconds / 1e9);
}
torch?.close();
const median = (values: number[]) => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];
const best = (values: number[]) => Math.max(...values);
console.log(`device: ${gpu.adapter.name}; ${(work.update / 1e9).toFixed(2)} useful GFLOP an update`);
console.log(table(
  (["update", "peak", ...(torch ? ["torch"] as const : [])] as const).map((name) => [
    { update: "update", peak: "matmul 1024^3", torch: "update in PyTorch" }[name],
    median(rates[name]).toFixed(1),
    best(rates[name]).toFixed(1),
  ]),
  { header: ["what", "median GFLOP/s", "best"] },
));
console.log(`ratio of medians ${(median(rates.update) / median(rates.peak)).toFixed(3)}`);
if (torch) console.log(`to PyTorch ${(median(rates.update) / median(rates.torch)).toFixed(3)}`);
if (profile) {
  const report = (await gpu.profile.report()).filter(({ label }) => !label.includes("noop"));
  console.log(table(
    report.map(({ label, nanoseconds, dispatches }) => [
      label,
      dispatches / rounds,
      (nanoseconds / 1e6 / rounds).toFixed(2),
      (nanoseconds / dispatches / 1e3).toFixed(0),
    ]),
    { header: ["kernel", "dispatches an update", "ms an update", "us each"] },
  ));
}
gpu.close();
