/**
 * Measures the rates that `softcot forecast --rates` takes, and holds the forecast of an update against trainings of one and two learners and
 * one and two workers, each process with a core:
 *
 *     deno run -A tests/bench/scaling_bench.ts [--out rates.json] [--repeats 5] [--steps 5] [--width 128] [--layers 4]
 *
 * `--rates FILE` takes rates that were measured before; `--clusters 1+0,2+0,1+1,0+1,0+2` names what is trained: learners + workers, where 0
 * learners are one that leaves all rollouts to workers; `--clusters none` measures alone.
 * The model has random weights and is rewarded by chance, so that all groups are learned from. Open MPI and nats-server are needed.
 */
import { parseArgs } from "node:util";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel, type FoundModel } from "../../model/files/find_model.ts";
import { table } from "../../cli/terminal/table.ts";
import { sumsPrompts } from "../../cli/bench/sums_prompts.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { questionWork, type ScaledTraining } from "../../rl/scaling/question_work.ts";
import { type Rates, ratesSchema } from "../../rl/scaling/rates.ts";
import { updateSeconds } from "../../rl/scaling/update_seconds.ts";
import { softcotCommand } from "../cli/support/run_softcot.ts";
import { mpirun } from "../rl/cluster/support/mpirun.ts";
import { jsonLines } from "../support/json_lines.ts";
import { startNats } from "../workers/support/nats_server.ts";
import { startWorker } from "../workers/support/worker_process.ts";
import { deviceRates } from "./support/device_rates.ts";
import { linkRates, queueRate, weightsRates } from "./support/link_rates.ts";

const { values: options } = parseArgs({
  options: {
    out: { type: "string" },
    repeats: { type: "string", default: "5" },
    steps: { type: "string", default: "5" },
    width: { type: "string", default: "128" },
    layers: { type: "string", default: "4" },
    rates: { type: "string" },
    clusters: { type: "string", default: "1+0,2+0,1+1,0+1,0+2" },
  },
});
const repeats = Number(options.repeats);
const [QUESTIONS, GROUP, THINKING, ANSWER] = [8, 4, 24, 8];
/** The model answers nothing right: other texts earn other rewards. */
const REWARD =
  "export default ({ text }: { text: string }) => (7 * text.length + text.charCodeAt(3)) % 11;\n";
const ONE_CORE = { NO_COLOR: "1", LP_NUM_THREADS: "1" };

if (launched()) {
  const { rank, rates } = await linkRates(repeats);
  if (rank === 0) console.log(JSON.stringify(rates));
} else {
  const folder = Deno.makeTempDirSync({ prefix: "softcot-scaling-" });
  try {
    await bench(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function bench(folder: string): Promise<void> {
  const model = `${folder}/model`;
  await softcot([
    ...["sft", "--width", options.width, "--layers", options.layers, "--mlp", `${4 * Number(options.width)}`],
    ...["--heads", "4", "--steps", "1", "--batch", "2", "--out", model],
  ]);
  const { rates, training } = await measureRates(model, folder);
  console.log(JSON.stringify(rates, null, 2));
  if (options.out !== undefined) Deno.writeTextFileSync(options.out, JSON.stringify(rates, null, 2) + "\n");
  const rows: string[][] = [];
  for (const cluster of options.clusters.split(",").filter((one) => one !== "none")) {
    const [own, workers] = cluster.split("+").map(Number);
    const [learners, workersOnly] = [Math.max(1, own), own === 0];
    const out = `${folder}/run-${learners}-${workers}${workersOnly ? "-only" : ""}`;
    const measured = await train(model, out, learners, workers, workersOnly);
    // As long as they were.
    const lengths = { ...training, thinking: measured.thinking, answer: measured.answer };
    const told = updateSeconds(lengths, questionWork(lengths), {
      ...{ learners, workers, workersOnly, questions: QUESTIONS, shardOptimizer: false },
      slots: { learner: Infinity, worker: Infinity },
    }, rates);
    const update = told.passes + told.optimizer + told.sum + told.spread;
    const pair = (predicted: number, measured: number) =>
      `${predicted.toPrecision(2)} / ${measured.toPrecision(2)}`;
    rows.push([
      `${learners} learner${learners > 1 ? "s" : ""}${
        workers ? `, ${workers} worker${workers > 1 ? "s" : ""}${workersOnly ? " alone" : ""}` : ""
      }`,
      pair(told.rollout, measured.rollout),
      pair(update, measured.update),
      pair(told.sum, measured.summed),
      pair(told.total, measured.step),
      (told.total / measured.step).toFixed(2),
    ]);
    console.error(rows.at(-1)!.join("  "));
  }
  console.log(table(rows, {
    header: ["seconds predicted / measured", "rollouts", "update", "of it sums", "in all", "ratio"],
    align: ["left"],
  }));
}

async function measureRates(
  model: string,
  folder: string,
): Promise<{ rates: Rates; training: ScaledTraining }> {
  const gpu = await openGpu();
  const found = await findModel(gpu, model);
  const rates = options.rates === undefined
    ? await measured(found, folder)
    : ratesSchema.parse(JSON.parse(Deno.readTextFileSync(options.rates)));
  const prompts = sumsPrompts(found.tokenizer, QUESTIONS);
  gpu.close();
  return {
    rates,
    training: {
      ...{ config: found.model.config, group: GROUP, thinking: THINKING, answer: ANSWER, forced: 8 },
      prompt: Math.round(prompts.reduce((sum, { length }) => sum + length, 0) / prompts.length),
      ...{ mixes: true, continuous: true, weightBytes: 4, recompute: false },
    },
  };
}

async function measured(found: FoundModel, folder: string): Promise<Rates> {
  const own = [Deno.execPath(), "run", "-A", new URL(import.meta.url).pathname, ...Deno.args];
  const parts = [
    () => deviceRates(found, repeats),
    () => weightsRates(found, folder, repeats),
    async () => ({ queue: await queueRate(repeats) }),
    async () => {
      const { code, stdout, stderr } = await mpirun(2, own);
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    },
  ];
  let rates = {};
  for (const part of parts) {
    rates = { ...rates, ...await part() };
    console.error(JSON.stringify(rates));
  }
  return ratesSchema.parse(rates);
}

/** Trains for some updates, and tells the least of each of their parts' seconds; the first does not count. */
async function train(model: string, out: string, learners: number, workers: number, workersOnly: boolean) {
  Deno.writeTextFileSync(`${out}.reward.ts`, REWARD);
  await using nats = workers > 0 ? await startNats() : undefined;
  const started = await Promise.all(
    Array.from({ length: workers }, (_, i) => startWorker(nats!.url, `worker-${i}`, { env: ONE_CORE })),
  );
  try {
    await softcot([
      ...["train", "--model", model, "--task", "sums", "--thinking", "soft", "--out", out],
      ...["--questions", `${QUESTIONS}`, "--group", `${GROUP}`, "--steps", options.steps],
      ...["--max-thinking", `${THINKING}`, "--answer-tokens", `${ANSWER}`, "--sample-every", "0"],
      ...["--validate-every", "0", "--test-questions", "0", "--print-every", "0", "--save-every", "1000"],
      ...["--reward", `${out}.reward.ts`],
      ...(learners > 1 ? ["--learners", `${learners}`] : []),
      ...(nats ? ["--workers", nats.url] : []),
      ...(workersOnly ? ["--workers-only"] : []),
    ]);
  } finally {
    for (const worker of started) await worker[Symbol.asyncDispose]();
  }
  const lines = jsonLines(`${out}/metrics.jsonl`).slice(1);
  const times = lines.map(({ time }) => time);
  const mean = (of: (line: typeof lines[number]) => number) =>
    Math.round(lines.reduce((sum, line) => sum + of(line), 0) / lines.length);
  const best = (of: (time: typeof times[number]) => number) => Math.min(...times.map(of));
  return {
    thinking: mean(({ thinking_tokens }) => thinking_tokens),
    answer: mean(({ answer_tokens }) => answer_tokens),
    step: best(({ step }) => step),
    rollout: best(({ rollout }) => rollout),
    update: best(({ update }) => update),
    summed: best(({ learners }) =>
      learners ? Math.max(...learners.map((one: { summed: number }) => one.summed)) : 0
    ),
  };
}

async function softcot(args: readonly string[]): Promise<void> {
  const command = softcotCommand([...args], { env: ONE_CORE, stdin: "null", stdout: "null" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`softcot ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
