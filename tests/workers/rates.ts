/**
 * Rollouts a second of trainings and evaluations by this device, by one worker, and by two, each process pinned to a core of its own, in turns.
 *
 *     deno run -A tests/workers/rates.ts [--turns 3] [--steps 6] [--questions 8] [--group 16] [--limit 200]
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { jsonLines } from "../support/json_lines.ts";
import { startNats } from "./support/nats_server.ts";
import { onCore, startWorker } from "./support/worker_process.ts";

const { values: options } = parseArgs({
  options: {
    turns: { type: "string", default: "3" },
    steps: { type: "string", default: "6" },
    questions: { type: "string", default: "8" },
    group: { type: "string", default: "16" },
    limit: { type: "string", default: "200" },
  },
});
const [turns, questions, group] = [options.turns, options.questions, options.group].map(Number);
const folder = Deno.makeTempDirSync({ prefix: "softcot-rates-" });
const env = { NO_COLOR: "1", LP_NUM_THREADS: "1" };

/** Runs the program on the first core, and returns what it printed. */
async function finish(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await onCore(0, args, { env, stdout: "piped", stderr: "piped" })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A training without anything beside its updates: rollouts a second of all but the first two, in which kernels are compiled. */
async function trainingRate(flags: readonly string[], out: string): Promise<number> {
  await finish([
    ...["train", "--thinking", "soft", "--questions", options.questions, "--group", options.group],
    ...["--steps", options.steps, "--validate-every", "0", "--test-questions", "0", "--sample-every", "0"],
    ...["--print-every", "0", "--out", out, ...flags],
  ]);
  const seconds = jsonLines(`${out}/metrics.jsonl`).slice(2).map(({ time }) => time.rollout as number);
  return questions * group * seconds.length / seconds.reduce((sum, one) => sum + one, 0);
}

/** An evaluation: rollouts a second of its second mode, for which the first has compiled most. */
async function evaluationRate(flags: readonly string[]): Promise<number> {
  const said = await finish([
    ...["eval", "sums", "--limit", options.limit, "--mode", "hard-sample,soft-sample", "--samples", "8"],
    ...["--json", ...flags],
  ]);
  const [{ modes }] = JSON.parse(said).tasks as { modes: { samples: number; seconds: number }[] }[];
  const { samples, seconds } = modes[1];
  return Number(options.limit) * samples / seconds;
}

await using nats = await startNats();
const workersOnly = ["--workers", nats.url, "--workers-only"];

/** Who makes rollouts, and on how many cores. */
const KINDS = {
  "this device": { workers: [], flags: [], cores: 1 },
  // A trainer that waits takes no core from a worker.
  "one worker": { workers: [0], flags: workersOnly, cores: 1 },
  "two workers": { workers: [0, 1], flags: workersOnly, cores: 2 },
  "this device and one worker": { workers: [1], flags: ["--workers", nats.url], cores: 2 },
} as const;

const rates = { training: new Map<string, number[]>(), evaluation: new Map<string, number[]>() };
for (let turn = 0; turn < turns; turn++) {
  for (const [name, { workers, flags }] of Object.entries(KINDS)) {
    await using stack = new AsyncDisposableStack();
    for (const core of workers) stack.use(await startWorker(nats.url, `w${core}`, { env, core }));
    const out = `${folder}/${turn}-${name.replaceAll(" ", "-")}`;
    const measured = { training: await trainingRate(flags, out), evaluation: await evaluationRate(flags) };
    for (const work of ["training", "evaluation"] as const) {
      rates[work].set(name, [...rates[work].get(name) ?? [], measured[work]]);
    }
    const { training, evaluation } = measured;
    console.error(`turn ${turn + 1}, ${name}: ${training.toFixed(1)} and ${evaluation.toFixed(1)} a second`);
  }
}
for (const [work, by] of Object.entries(rates)) {
  const alone = median(by.get("this device")!);
  console.log(table(
    Object.entries(KINDS).map(([name, { cores }]) => {
      const rate = median(by.get(name)!);
      return [name, rate.toFixed(1), (cores * alone).toFixed(1), (rate / (cores * alone)).toFixed(2)];
    }),
    { header: [`${work}: rollouts by`, "a second", "ideal", "of it"], align: ["left"] },
  ));
}
Deno.removeSync(folder, { recursive: true });
