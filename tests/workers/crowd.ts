/**
 * What a trainer and a NATS server need for a crowd of workers: 200 that compute nothing, connections in a few processes, and 100,000 jobs of a
 * rollout each. Every result is looked through and taken once more, as always.
 *
 *     deno run -A tests/workers/crowd.ts [--workers 200] [--processes 4] [--jobs 100000] [--update 1000] [--out FILE.json]
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { slopeOf } from "../faults/support/memory.ts";
import { type CrowdSample, runCrowd } from "./support/run_crowd.ts";

const { values: options } = parseArgs({
  options: {
    workers: { type: "string", default: "200" },
    processes: { type: "string", default: "4" },
    jobs: { type: "string", default: "100000" },
    update: { type: "string", default: "1000" },
    out: { type: "string" },
  },
});
const [workers, processes, jobs, perUpdate] = [
  options.workers,
  options.processes,
  options.jobs,
  options.update,
].map(Number);
const { samples, byWorker, wrong, said, left, crowdPeak } = await runCrowd(
  { workers, processes, jobs, perUpdate },
  ({ jobs, seconds, trainer, nats, store }) =>
    console.error(
      `${jobs} jobs, ${(jobs / seconds).toFixed(1)} a second; trainer ${trainer.toFixed(1)} MiB, NATS ${
        nats.toFixed(1)
      } MiB, store ${(store / 2 ** 20).toFixed(2)} MiB`,
    ),
);
if (options.out) Deno.writeTextFileSync(options.out, JSON.stringify(samples));
for (const line of said) console.error(line);
// What is compiled and pooled at first comes before.
const settled = samples.filter((sample) => sample.jobs > jobs / 5);
const row = (name: string, of: (sample: CrowdSample) => number) => {
  const { value, standardError } = slopeOf([settled.map((one) => [one.jobs / 100_000, of(one)])]);
  const all = settled.map(of);
  return [
    ...[name, of(samples[0]), Math.min(...all), Math.max(...all), of(samples.at(-1)!)].map((cell) =>
      typeof cell === "number" ? cell.toFixed(1) : cell
    ),
    `${value.toFixed(2)} ± ${standardError.toFixed(2)}`,
  ];
};
console.log(table([
  row("trainer, resident", ({ trainer }) => trainer),
  row("trainer, heap", ({ heap }) => heap),
  row("NATS, resident", ({ nats }) => nats),
  row("NATS, files", ({ store }) => store / 2 ** 20),
], {
  header: ["MiB", "at first", "lowest", "highest", "at last", "growth in 100,000 jobs"],
  align: ["left"],
}));
const { seconds, jobs: done, processors } = samples.at(-1)!;
const since = samples[0];
const milliseconds = (who: keyof typeof processors) =>
  (1000 * (processors[who] - since.processors[who]) / (done - since.jobs)).toFixed(2);
const shares = [...byWorker.values()];
console.log(
  `${done} jobs of ${byWorker.size} workers in ${seconds.toFixed(0)} s, ${
    (done / seconds).toFixed(1)
  } a second; ` +
    `${Math.min(...shares)} to ${Math.max(...shares)} by a worker; ${wrong} wrong; ${left} messages left; ` +
    `milliseconds of a processor a job: ${milliseconds("trainer")} the trainer's, ${
      milliseconds("nats")
    } NATS's, ${milliseconds("workers")} the workers'; ` +
    `a process of ${Math.ceil(workers / processes)} workers had ${crowdPeak.toFixed(0)} MiB at most`,
);
assertEquals([wrong, left], [0, 0]);
