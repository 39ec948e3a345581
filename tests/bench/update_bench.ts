/**
 * The update alone (objective, backward pass and optimizer) on one batch of soft rollouts of the embedded model, beside
 * a matrix product of 1024^3 in the same run: useful GFLOP/s of both and their ratio; with --profile, time by kernel.
 *
 *     deno run -A tests/bench/update_bench.ts [--profile] [--large] [--rounds N] [--python PATH] [--jax-js]
 *
 * --large: a model of 12 layers and width 512 (head size 64, grouped) with random weights instead. Others take their turns
 * with the update of the same rollouts: --python, a Python with PyTorch, on the CPU with two threads (`peers/pytorch_update.py`);
 * --jax-js, jax-js on the same WebGPU device (`peers/jax_js_update.ts`; --jax-device wasm for its backend on the CPU), whose
 * gradient is first compared with ours. The first round of each is not counted.
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { madeUpGroups, repeatedUpdate } from "../../cli/bench/repeated_update.ts";
import { sumsPrompts } from "../../cli/bench/sums_prompts.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { Domain, randomStream } from "../../gpu/random.ts";
import { sizeOf } from "../../gpu/tensor.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { findModel } from "../../model/files/find_model.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { updateFlops } from "../../rl/update_flops.ts";
import type { ActionRecord } from "../../rl/objective.ts";
import { randomModel } from "../model/support/small_models.ts";
import { type JaxJs, openJaxJs } from "./support/jax_js_peer.ts";
import { shapeOf } from "./support/rollout_steps.ts";
import { openTimed, type TimedProcess } from "./support/timed_process.ts";

const { values: flags } = parseArgs({
  options: {
    profile: { type: "boolean", default: false },
    large: { type: "boolean", default: false },
    rounds: { type: "string" },
    python: { type: "string" },
    "jax-js": { type: "boolean", default: false },
    "jax-device": { type: "string", default: "webgpu" },
  },
});
const gpu = await openGpu({ profile: flags.profile });

const LARGE = shapeOf({
  ...{ vocabSize: 2048, hiddenSize: 512, layers: 12, kvHeads: 4, intermediateSize: 1376, maxPosition: 1024 },
});
const [TAU, SIGMA] = [0.5, 0.01];

const { model, tokenizer } = flags.large
  ? { model: randomModel(gpu, LARGE), tokenizer: builtinTokenizer() }
  : await findModel(gpu, "builtin");
const { config } = model;
const [questions, group, steps] = flags.large ? [1, 16, 30] : [8, 16, 30];
const rounds = 1 + Number(flags.rounds ?? (flags.large ? 3 : 9));
const hidden = gpu.arena.create([questions * group, steps, config.hiddenSize], "f32", "hidden");
const uniform = randomStream(0, Domain.data);
gpu.commands.upload(
  hidden,
  Float32Array.from({ length: sizeOf(hidden.shape) }, () => 0.07 * (uniform() - 0.5)),
);
const prompts = sumsPrompts(tokenizer, questions);
const groups = madeUpGroups(prompts, group, (g) => steps - g, config.usedVocabSize);
const repeated = repeatedUpdate(model, groups, gaussianThinking("soft", TAU, SIGMA), hidden);
const { grads, optimizer, objective } = repeated;

async function update(): Promise<ActionRecord> {
  const fetch = repeated.record();
  await gpu.reader.read(optimizer.norm);
  return await fetch();
}

const size = 1024;
const a = gpu.arena.create([size, size], "f32", "a");
const c = gpu.arena.create([size, size], "f32", "c");
const w = createMatrix(gpu, size, size, "f32", "w");
async function peak(): Promise<void> {
  for (let i = 0; i < 4; i++) matmulNT(gpu, a, w, c);
  await gpu.reader.read(optimizer.norm);
}

function openTorch(python: string): Promise<TimedProcess> {
  const shape = { config, prompts: prompts.map(({ length }) => length), group, steps, tail: 4 };
  return openTimed(python, "peers/pytorch_update.py", [JSON.stringify(shape)]);
}

/** jax-js with the same weights and rollouts, after its gradient has been found to be ours. */
async function openJax(): Promise<JaxJs> {
  const told = { ...objective, groups, tau: TAU, sigma: SIGMA };
  const jax = await openJaxJs(model, told, flags["jax-device"]);
  const { answer } = await update();
  const { gradient, answers } = await jax.agreement(grads, answer);
  console.log(
    `jax-js: gradients within ${gradient.toExponential(1)} of ours, answers ${answers.toExponential(1)}`,
  );
  if (!(gradient < 1e-3 && answers < 1e-3)) {
    throw new Error("Cannot compare with jax-js: its update is another");
  }
  return jax;
}

/** Who takes turns: what one turn computes, and how long it took. */
interface Contender {
  name: string;
  flops: number;
  seconds(): Promise<number>;
}
const timed = (run: () => Promise<unknown>) => async () => {
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
};
const useful = updateFlops(config, [groups], true);
const contenders: Contender[] = [
  { name: "update", flops: useful, seconds: timed(update) },
  { name: "matmul 1024^3", flops: 4 * 2 * size ** 3, seconds: timed(peak) },
];
const others: TimedProcess[] = [];
function join(name: string, other: TimedProcess): void {
  others.push(other);
  contenders.push({ name: `update in ${name}`, flops: useful, seconds: () => other.seconds("update") });
}
if (flags.python) join("PyTorch", await openTorch(flags.python));
if (flags["jax-js"]) join(`jax-js, ${flags["jax-device"]}`, await openJax());

const rates = contenders.map((): number[] => []);
for (let round = 0; round < rounds; round++) {
  for (const [i, { flops, seconds }] of contenders.entries()) {
    const rate = flops / await seconds() / 1e9;
    if (round > 0) rates[i].push(rate);
  }
}
for (const other of others) other.close();
console.log(`device: ${gpu.adapter.name}; ${(useful / 1e9).toFixed(2)} useful GFLOP an update`);
console.log(table(
  contenders.map(({ name }, i) => [
    name,
    median(rates[i]).toPrecision(3),
    Math.max(...rates[i]).toPrecision(3),
    (median(rates[0]) / median(rates[i])).toPrecision(3),
    rates[i].map((rate) => rate.toPrecision(3)).join(" "),
  ]),
  { header: ["what", "median GFLOP/s", "best", "update / this", "rounds"] },
));
if (flags.profile) {
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
