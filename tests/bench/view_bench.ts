/**
 * What `softcot view` takes to open the folder of a very long run, made up for it: seconds by the clock and of processors, memory, bytes read.
 * `./softcot deno run -A tests/bench/view_bench.ts [--updates 100000] [--rollouts 1000000] [--steps 24] [--folder DIR] [--read-only]`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { httpSource } from "../../web/data/http_source.ts";
import { table } from "../../cli/terminal/table.ts";
import { memoryOf, processorSeconds } from "../support/memory_of.ts";
import { root } from "../support/places.ts";
import { writeLargeRun } from "./support/large_run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    updates: { type: "string", default: "100000" },
    rollouts: { type: "string", default: "1000000" },
    steps: { type: "string", default: "24" },
    folder: { type: "string" },
    "read-only": { type: "boolean", default: false },
  },
});
const folder = values.folder ?? Deno.makeTempDirSync({ prefix: "softcot-view-bench-" });
const run = `${folder}/long`;
const size = {
  updates: Number(values.updates),
  rollouts: Number(values.rollouts),
  steps: Number(values.steps),
};
try {
  Deno.statSync(`${run}/samples.jsonl`);
} catch {
  const began = performance.now();
  writeLargeRun(run, size);
  console.log(`made in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
const bytesOf = (name: string) => {
  try {
    return Deno.statSync(`${run}/${name}`).size;
  } catch {
    return 0;
  }
};

/** A view that runs, and what it takes. */
async function startView() {
  const args = ["view", run, ...(values["read-only"] ? ["--read-only"] : [])];
  const began = performance.now();
  const child = new Deno.Command(Deno.env.get("SOFTCOT_BINARY") ?? `${root}softcot`, {
    args,
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const url = (await reader.read()).value!.trim();
  return {
    url,
    source: httpSource(url.replace(/\/$/, "")),
    seconds: () => (performance.now() - began) / 1000,
    peakMiB: () => memoryOf(child.pid)!.peak,
    nowMiB: () => memoryOf(child.pid)!.resident,
    readMB: () => Number(/^rchar:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${child.pid}/io`))?.[1]) / 1e6,
    /** Of processors, which other programs disturb less than the clock: user and system. */
    cpu: () => processorSeconds(child.pid)!,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await reader.cancel();
    },
  };
}

const rows: string[][] = [];
type View = Awaited<ReturnType<typeof startView>>;
const tell = (what: string, view: View, seconds: number, cpu: number) =>
  rows.push([
    what,
    seconds.toFixed(2),
    cpu.toFixed(2),
    view.peakMiB().toFixed(0),
    view.nowMiB().toFixed(0),
    view.readMB().toFixed(0),
  ]);
async function timed(what: string, view: View, work: () => Promise<unknown>): Promise<void> {
  const [began, before] = [performance.now(), view.cpu()];
  await work();
  tell(what, view, (performance.now() - began) / 1000, view.cpu() - before);
}

/** All that the first look at a run asks for. */
async function open({ url, source }: View): Promise<number> {
  await (await fetch(url)).text();
  const { places: [{ id, indexed }] } = await source.overview();
  await Promise.all([
    source.metrics(id),
    source.facets(id),
    source.rollouts(id, { order: "last" }),
    source.tables(id),
  ]);
  return indexed;
}

{
  const view = await startView();
  const indexed = await open(view);
  tell(`first start: page and ${(100 * indexed).toFixed(0)}% of the files`, view, view.seconds(), view.cpu());
  while ((await view.source.overview()).places[0].indexed < 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  tell("first start: all is indexed", view, view.seconds(), view.cpu());
  await timed("page again, with all of it", view, () => open(view));
  await view.stop();
}
{
  const view = await startView();
  tell("next start: the address is printed", view, view.seconds(), view.cpu());
  await open(view);
  tell("next start: page, curves, rollouts, filters, tables", view, view.seconds(), view.cpu());
  const { source } = view;
  const { places: [{ id, indexed }] } = await source.overview();
  if (indexed < 1) rows.push([`(by then ${(100 * indexed).toFixed(1)}% is indexed)`, "", "", "", "", ""]);
  const asks: [string, () => Promise<unknown>][] = [
    ["one column of all updates, 2,000 points", () => source.metrics(id, { keys: ["reward"] })],
    ["curves of 1,000 updates in the middle", () => source.metrics(id, { from: 50_000, to: 51_000 })],
    ["rollouts of one update", () => source.rollouts(id, { step: Math.floor(size.updates / 2) })],
    [
      "right ones of equal groups, the last 100",
      () => source.rollouts(id, { correct: true, equal: true, order: "last" }),
    ],
    ["one question over updates", () => source.rollouts(id, { question: "sums-0000000000000abc" })],
    ["the 500,000th on", () => source.rollouts(id, { skip: 500_000 })],
    ["a rollout in full", () => source.rollout(id, Math.floor(size.rollouts / 2))],
    ["a text that is there: first answer", () => source.rollouts(id, { text: "has 996 SHELLS" })],
    ["where a question was seen", () => source.sightings("sums-0000000000000abc")],
  ];
  for (const [what, work] of asks) await timed(what, view, work);
  await timed("a text that is nowhere: all read", view, async () => {
    for (let after: number | undefined, isMore = true; isMore;) {
      const { next } = await source.rollouts(id, { text: "nowhere at all", after });
      [after, isMore] = [next ?? undefined, next !== null];
    }
  });
  await view.stop();
}
const mb = (name: string) => `${name} ${(bytesOf(name) / 1e6).toFixed(0)} MB`;
console.log(
  ["metrics.jsonl", "samples.jsonl", "metrics.jsonl.index", "samples.jsonl.index"].map(mb).join(", "),
);
console.log(table(rows, {
  header: ["what", "s", "CPU s", "peak MiB", "MiB then", "MB read by then"],
  align: ["left", "right", "right", "right", "right", "right"],
}));
if (values.folder === undefined) Deno.removeSync(folder, { recursive: true });
