/**
 * One run whose rollouts workers alone make, of which one or another is killed (kill -9) again and again, at random moments, and followed by a
 * new one; in the middle the server of the queue is, too. In the end the run is held against one without workers, and what each worker brought
 * is counted.
 *
 *     deno run -A tests/workers/kill_workers.ts [--kills 100] [--steps 40] [--workers 3] [--seed 1] [--staleness 0]
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { seededUniform } from "../../eval/seeded_uniform.ts";
import { pause } from "../../gpu/pause.ts";
import { softcotCommand, succeed, told } from "../cli/support/run_softcot.ts";
import { assertSameRun, linesIn } from "../rl/support/run_files.ts";
import { jsonLines } from "../support/json_lines.ts";
import { startNats } from "./support/nats_server.ts";
import { startWorker, type WorkerProcess } from "./support/worker_process.ts";

const { values: options } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    steps: { type: "string", default: "40" },
    workers: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    staleness: { type: "string", default: "0" },
  },
});
const [kills, steps, count] = [options.kills, options.steps, options.workers].map(Number);
const [QUESTIONS, GROUP] = [6, 8];
const random = seededUniform(Number(options.seed));
const folder = Deno.makeTempDirSync({ prefix: "softcot-kills-" });
const [whole, killed] = [`${folder}/whole`, `${folder}/killed`];
const args = (out: string) => [
  ...[
    "train",
    "--thinking",
    "soft",
    "--questions",
    `${QUESTIONS}`,
    "--group",
    `${GROUP}`,
    "--steps",
    `${steps}`,
    "--staleness",
    options.staleness,
  ],
  ...["--validate-every", "20", "--validation-questions", "32", "--test-questions", "0", "--out", out],
];

await succeed(args(whole));
await using nats = await startNats();
const workers: (WorkerProcess | undefined)[] = Array.from({ length: count });
let names = 0;
const start = async (place: number) => workers[place] = await startWorker(nats.url, `w${++names}`);
await Promise.all(workers.map((_, place) => start(place)));

const child = softcotCommand([...args(killed), "--workers", nats.url, "--workers-only"], {
  ...{ env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
}).spawn();
let ended = false;
const output = child.output().finally(() => ended = true);
const began = performance.now();
const starting = new Set<Promise<unknown>>();
let done = 0;
while (done < kills && !ended) {
  // Spread over the run: some in each update, at any moment of it.
  while (!ended && linesIn(`${killed}/metrics.jsonl`) < Math.floor(done * steps / kills)) await pause(20);
  await pause(1000 * random());
  const there = workers.flatMap((worker, place) => worker ? [place] : []);
  if (there.length === 0 || ended) continue;
  const place = there[Math.floor(random() * there.length)];
  const worker = workers[place]!;
  workers[place] = undefined;
  await worker.kill("SIGKILL");
  done++;
  if (done === Math.ceil(kills / 2)) {
    // One that comes to a server that is not there ends.
    await Promise.all(starting);
    await nats.restart();
    console.log(
      `the server was killed after update ${linesIn(`${killed}/metrics.jsonl`)}, and started again`,
    );
  }
  const next = start(place).finally(() => starting.delete(next));
  starting.add(next);
  if (done % 10 === 0) {
    console.log(`${done} kills after update ${linesIn(`${killed}/metrics.jsonl`)} of ${steps}`);
  }
}
await Promise.all(starting);
const { code, stderr } = told(await output);
assertEquals(code, 0, stderr);
assertSameRun(killed, whole);
const made = jsonLines(`${killed}/metrics.jsonl`).map(({ time }) =>
  time.workers as { name: string; rollouts: number }[]
);
for (const by of made) assertEquals(by.reduce((sum, { rollouts }) => sum + rollouts, 0), QUESTIONS * GROUP);
const brought = new Set(
  made.flat().filter(({ name, rollouts }) => rollouts > 0 && name !== "here").map(({ name }) => name),
);
const here = made.flat().filter(({ name }) => name === "here").reduce(
  (sum, { rollouts }) => sum + rollouts,
  0,
);
console.log(
  `${done} kills in ${steps} updates of ${
    ((performance.now() - began) / 1000).toFixed(0)
  } s: the run is the one without workers, to the bit; ` +
    `${brought.size} of ${names} workers brought the ${
      steps * QUESTIONS * GROUP
    } rollouts, each once, but for ${here} that were made here`,
);
for (const worker of workers) await worker?.kill("SIGKILL");
Deno.removeSync(folder, { recursive: true });
