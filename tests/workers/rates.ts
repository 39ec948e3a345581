/**
 * Rollouts a second of trainings and evaluations by this device, by one worker, and by two, each process pinned to a core of its own, in turns.
 *
 *     deno run -A tests/workers/rates.ts [--turns 3] [--steps 6] [--questions 8] [--group 16]
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { programWords } from "../cli/support/run_softcot.ts";
import { jsonLines } from "../support/json_lines.ts";
import { root } from "../support/places.ts";
import { startNats } from "./support/nats_server.ts";

const { values: options } = parseArgs({
  options: {
    turns: { type: "string", default: "3" },
    steps: { type: "string", default: "6" },
    questions: { type: "string", default: "8" },
    group: { type: "string", default: "16" },
  },
});
const [turns, questions, group] = [options.turns, options.questions, options.group].map(Number);
const folder = Deno.makeTempDirSync({ prefix: "softcot-rates-" });
const env = { NO_COLOR: "1", LP_NUM_THREADS: "1" };

/** A process of the program, on one core. */
const pinned = (core: number, args: string[]) =>
  new Deno.Command("taskset", {
    args: ["-c", `${core}`, ...programWords(), ...args],
    ...{ cwd: root, env, stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();

async function finish(core: number, args: string[]): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await pinned(core, args).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return (performance.now() - began) / 1000;
}

await using nats = await startNats();

/** Starts so many workers, on cores from `first` on, and waits until they wait for jobs. */
async function startWorkers(count: number, first: number) {
  const children = Array.from(
    { length: count },
    (_, i) => pinned(first + i, ["worker", nats.url, "--name", `w${i}`]),
  );
  const read = children.map(async ({ stderr }, i) => {
    let text = "";
    for await (const part of stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("waits for jobs")) ready[i].resolve();
    }
  });
  const ready = children.map(() => Promise.withResolvers<void>());
  await Promise.all(ready.map(({ promise }) => promise));
  return {
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(read);
      await Promise.all(children.map(({ status }) => status));
    },
  };
}

const train = (out: string) => [
  ...[
    "train",
    "--thinking",
    "soft",
    "--questions",
    `${questions}`,
    "--group",
    `${group}`,
    "--steps",
    options.steps,
  ],
  ...[
    "--validate-every",
    "0",
    "--test-questions",
    "0",
    "--sample-every",
    "0",
    "--print-every",
    "0",
    "--out",
    out,
  ],
];

/** Rollouts a second of all updates but the first two, in which kernels are compiled. */
function rateOf(out: string): number {
  const seconds = jsonLines(`${out}/metrics.jsonl`).slice(2).map(({ time }) => time.rollout as number);
  return questions * group * seconds.length / seconds.reduce((sum, one) => sum + one, 0);
}

const KINDS = {
  "this device": { workers: 0, flags: [] },
  "one worker": { workers: 1, flags: ["--workers", nats.url, "--workers-only"] },
  "two workers": { workers: 2, flags: ["--workers", nats.url, "--workers-only"] },
  "this device and one worker": { workers: 1, flags: ["--workers", nats.url] },
} as const;

const rates = new Map<string, number[]>();
for (let turn = 0; turn < turns; turn++) {
  for (const [name, { workers, flags }] of Object.entries(KINDS)) {
    // A trainer that waits takes no core from a worker.
    await using _ = await startWorkers(workers, name.startsWith("this device and") ? 1 : 0);
    const out = `${folder}/${turn}-${name.replaceAll(" ", "-")}`;
    await finish(0, [...train(out), ...flags]);
    rates.set(name, [...rates.get(name) ?? [], rateOf(out)]);
    console.error(`turn ${turn + 1}, ${name}: ${rates.get(name)!.at(-1)!.toFixed(1)} rollouts a second`);
  }
}
const alone = median(rates.get("this device")!);
console.log(table(
  [...rates].map(([name, all]) => [name, median(all).toFixed(1), (median(all) / alone).toFixed(2)]),
  { header: ["rollouts by", "a second", "of this device alone"], align: ["left"] },
));
Deno.removeSync(folder, { recursive: true });
