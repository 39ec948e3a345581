/** `softcot report`: one file with its data, which answers as the folders do; sampled to a size; figures; JSON. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { folderSource } from "../../../cli/view/folder_source.ts";
import { rootsOf } from "../../../cli/view/find_places.ts";
import { embeddedSource } from "../../../web/data/embedded_source.ts";
import type { ReportData } from "../../../web/data/report_data.ts";
import type { RolloutQuery } from "../../../web/data/view_data.ts";
import { writeLargeRun } from "../../bench/support/large_run.ts";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";

const folder = await testFolder();
const runs = `${folder}/runs`;
writeLargeRun(`${runs}/soft`, { updates: 120, rollouts: 960, steps: 6 });
const hostile = {
  version: 2,
  step: 1,
  group: 0,
  id: "x",
  question: "</script><!--<script>\u2028",
  sample: 0,
  reward: 1,
};
writeLargeRun(`${runs}/odd`, { updates: 3, rollouts: 3, steps: 2 });
Deno.writeTextFileSync(`${runs}/odd/samples.jsonl`, JSON.stringify(hostile) + "\n");

/** The data in a report's page. */
function dataIn(html: string): ReportData {
  const [, json] = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(html)!;
  return JSON.parse(json);
}

Deno.test("a report with all its data answers what the folders answer", async () => {
  const out = `${folder}/full.html`;
  const { stdout } = await succeed(["report", runs, "--out", out, "--full"]);
  assertMatch(stdout, new RegExp(`^${out}: \\d+(\\.\\d+)? [KM]iB\n$`));
  const report = embeddedSource(dataIn(Deno.readTextFileSync(out)));
  using source = folderSource(rootsOf([runs]), { writable: false });
  await source.places.readAll();
  assertEquals([report.live, report.sampled], [false, ""]);
  assertEquals(await report.overview(), await source.overview());
  const id = "runs/soft";
  for (
    const query of [{}, { keys: ["reward", "step"] }, { points: 10 }, { from: 20, to: 50, keys: ["lr"] }]
  ) {
    assertEquals(await report.metrics(id, query), await source.metrics(id, query));
  }
  const queries: RolloutQuery[] = [
    ...[{}, { order: "last" }, { step: 60 }, { step: 1e6, nearest: true }, { correct: true }, {
      limit: 7,
    }] as const,
    ...[{ group: "5.0" }, { skip: 100, limit: 5 }, { rewardTo: 50 }, { mode: "hard" }, { after: 900 }],
    ...[{ order: "last", after: 20 }, { question: "sums-000000000000000a" }] as const,
  ];
  for (const query of queries) {
    assertEquals(await report.rollouts(id, query), await source.rollouts(id, query), JSON.stringify(query));
  }
  const text = { text: "ANN HAS 17 " };
  assertEquals((await report.rollouts(id, text)).lines, (await source.rollouts(id, text)).lines);
  assertEquals(await report.rollout(id, 500), await source.rollout(id, 500));
  const facets = await source.facets(id);
  assertEquals({ ...await report.facets(id), often: [] }, { ...facets, often: [] });
  assertEquals(await report.tables(id), await source.tables(id));
  assertEquals(await report.sightings("x"), await source.sightings("x"));
});

Deno.test("without --full a report has about the size that is stated: whole groups over all updates, and says so", async () => {
  const out = `${folder}/sampled.html`;
  const { stdout } = await succeed(["report", runs, "--out", out, "--size", "0.35"]);
  assertMatch(stdout, /: \d+ of 961 rollouts are in this report \(--full leaves nothing out\)\n$/);
  const html = Deno.readTextFileSync(out);
  const data = dataIn(html);
  const size = JSON.stringify(data).length;
  assert(size > 250_000 && size < 400_000, `${size} bytes of data`);
  assertMatch(data.sampled, /^\d+ of 961 rollouts are in this report$/);
  const { rollouts } = data.places["runs/soft"];
  const groups = Map.groupBy(rollouts, ({ record }) => record.step);
  assert([...groups.values()].every(({ length }) => length === 8), "whole groups");
  assert(groups.has(1) && groups.has(120), "the first and the last update");
  const gaps = [...groups.keys()].map(Number).sort((a, b) => a - b).map((step, i, all) =>
    step - (all[i - 1] ?? step)
  );
  assert(Math.max(...gaps) <= 2 * Math.ceil(120 / groups.size), "evenly");
});

Deno.test("no text of the data ends the script it is in, and only the page's own script may run", async () => {
  const out = `${folder}/odd.html`;
  await succeed(["report", `${runs}/odd`, "--out", out]);
  const html = Deno.readTextFileSync(out);
  assertEquals(dataIn(html).places.odd.rollouts[0].record.question, hostile.question);
  assertEquals(html.match(/<script/g)!.length, 2);
  assert(!html.includes("<!--<script>"));
  assertMatch(
    html,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-[\w+/=]+'/,
  );
  assert(!/connect-src|unsafe/.test(/<meta http-equiv="Content-Security-Policy"[^>]*>/.exec(html)![0]));
});

Deno.test("--json prints the data, --svg draws figures, and nothing is written to the folders", async () => {
  const { stdout } = await succeed(["report", runs, "--json", "--size", "0.1"]);
  const data: ReportData = JSON.parse(stdout);
  assertEquals(data.overview.places.map(({ id }) => id), ["runs/odd", "runs/soft"]);
  const drawn = await succeed(["report", runs, "--svg", `${folder}/figures`, "--metrics", "reward,lr"]);
  assertMatch(drawn.stdout, /^\d+ figures? written\n$/);
  assertStringIncludes(Deno.readTextFileSync(`${folder}/figures/reward.svg`), "<svg");
  const names = [...Deno.readDirSync(`${runs}/soft`)].map(({ name }) => name).sort();
  assertEquals(names, ["checkpoints", "config.toml", "metrics.jsonl", "samples.jsonl"]);
});

Deno.test("mistakes are told in a line", async () => {
  Deno.mkdirSync(`${folder}/empty`);
  await fails(["report", runs], 2, "Name what is to be written");
  await fails(
    ["report", `${folder}/empty`, "--out", `${folder}/e.html`],
    1,
    "no run, sweep or evaluation is there",
  );
  await fails(["report", `${folder}/nowhere`, "--json"], 1, "there is no such folder");
  await fails(["report", runs, "--out", `${folder}/no/where.html`], 1, "Cannot write");
});
