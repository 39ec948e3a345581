/** What `softcot view` answers over real runs, evaluations and sweeps, while they grow and after. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { rootsOf } from "../../../cli/view/find_places.ts";
import { folderSource } from "../../../cli/view/folder_source.ts";
import type { ModeResult } from "../../../eval/measures/mode_result.ts";
import { pairedChange } from "../../../eval/measures/pass_at_k.ts";
import { stepsOf } from "../../../web/data/view_data.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { until } from "../../support/until.ts";
import { copyFolder, viewedFolders, viewOf } from "./support/viewed_folders.ts";

const folder = await viewedFolders();
const run = `${folder}/runs/soft`;

Deno.test("the overview names runs, evaluations and sweeps with their states", async () => {
  await using view = viewOf([folder]);
  // On a busy machine the first overview may come before all files are indexed.
  const isIndexed = async () => (await view.source.overview()).places.every(({ indexed }) => indexed === 1);
  await until(isIndexed, "all is indexed");
  const { places, notes } = await view.source.overview();
  const id = folder.split("/").at(-1)!;
  assertEquals(notes, []);
  assertEquals(
    places.map((
      one,
    ) => [one.id.slice(id.length + 1), one.kind, one.state, one.steps, one.ofSteps, one.line, one.indexed]),
    [
      ["results", "evaluation", "ended", 27, 27, null, 1],
      ["runs/soft", "run", "ended", 4, 4, null, 1],
      ["ways", "sweep", "failed", 2, 3, null, 1],
      ["ways/runs/hard-seed-0", "run", "failed", 0, 4, "hard", 1],
      ["ways/runs/soft-seed-0", "run", "ended", 4, 4, "soft", 1],
      ["ways/runs/soft-seed-1", "run", "ended", 4, 4, "soft", 1],
    ],
  );
  const [results, soft, ways, failed, seed] = places;
  assertEquals([failed.failure, ways.failure], ["the device was lost", "1 of 3 runs failed: hard-seed-0"]);
  assertEquals([soft.sweep, seed.sweep, seed.settings.thinking], [null, ways.id, "soft"]);
  const [last] = jsonLines(`${run}/metrics.jsonl`).slice(-1);
  assertEquals([soft.last.reward, soft.last["time.step"]], [last.reward, last.time.step]);
  assertEquals(soft.best!.accuracy, Math.max(...[2, 4].map((step) => validationAt(step))));
  assertEquals([soft.has.mixtures, soft.has.tests, results.has.mixtures, ways.has.claims], [
    true,
    true,
    true,
    false,
  ]);
  assertEquals(soft.rollouts, jsonLines(`${run}/samples.jsonl`).length);
});

const validationAt = (step: number) => jsonLines(`${run}/metrics.jsonl`)[step - 1].validation_accuracy;

Deno.test("metrics are the columns of the file, and fewer points keep least and most", async () => {
  await using view = viewOf([run]);
  const lines = jsonLines(`${run}/metrics.jsonl`);
  const { source } = view;
  const whole = await source.metrics("soft");
  assertEquals([whole.lines, whole.sampled, whole.skipped], [4, null, 0]);
  assertEquals(whole.columns.gradient_norm, lines.map((line) => line.gradient_norm));
  assertEquals(whole.columns["time.update"], lines.map((line) => line.time.update));
  assertEquals(whole.columns.validation_accuracy, [null, validationAt(2), null, validationAt(4)]);
  assertEquals(whole.columns["total.tokens"], lines.map((line) => line.tokens_seen));
  const some = await source.metrics("soft", { keys: ["reward", "step", "no such"], from: 1, to: 3 });
  assertEquals([some.from, some.to, Object.keys(some.columns)], [1, 3, ["step", "reward"]]);
  assertEquals(some.columns.step, [2, 3]);
  const { columns, sampled } = await source.metrics("soft", { keys: ["reward", "step"], points: 2 });
  const rewards = lines.map((line) => line.reward);
  assertEquals([columns.step, columns.reward!.length, sampled!.each], [[2, 4], 2, 2]);
  assertEquals(sampled!.low.reward, [Math.min(...rewards.slice(0, 2)), Math.min(...rewards.slice(2))]);
  assertEquals(sampled!.high.reward, [Math.max(...rewards.slice(0, 2)), Math.max(...rewards.slice(2))]);
});

Deno.test("rollouts are chosen by all that tells them apart, page by page, from either end", async () => {
  await using view = viewOf([run]);
  const { source } = view;
  const records = jsonLines(`${run}/samples.jsonl`);
  const places = async (query: Parameters<typeof source.rollouts>[1]) =>
    (await source.rollouts("soft", query)).lines.map(({ place }) => place);
  const those = (isSo: (record: Record<string, unknown>) => boolean) =>
    records.flatMap((record, i) => isSo(record) ? [i] : []);
  assertEquals(await places({}), those(() => true));
  assertEquals(await places({ order: "last" }), those(() => true).reverse());
  assertEquals(await places({ step: 3 }), those(({ step }) => step === 3));
  assertEquals(await places({ step: 99, nearest: true }), those(({ step }) => step === 4));
  assertEquals(await places({ group: "2.0" }), those(({ step, group }) => step === 2 && group === 0));
  assertEquals(await places({ question: records[7].id }), those(({ id }) => id === records[7].id));
  assertEquals(await places({ correct: true }), those(({ correct }) => correct === true));
  assertEquals(
    await places({ equal: false, sample: 1 }),
    those((one) => one.equal === false && one.sample === 1),
  );
  assertEquals(await places({ rewardFrom: 1, rewardTo: 99 }), those(({ reward }) => reward === 10));
  assertEquals(await places({ end: "limit" }), those((one) => one.thinking_end === "limit"));
  assertEquals(await places({ mode: "soft" }), those(() => true));
  assertEquals(await places({ mode: "hard" }), []);
  assertEquals(
    await places({ rule: String(records[0].rule) }),
    those(({ rule }) => rule === records[0].rule),
  );
  assertEquals(await places({ skip: 5, limit: 3 }), [5, 6, 7]);
  for (const order of ["first", "last"] as const) {
    const seen: number[] = [];
    for (let after: number | undefined, isMore = true; isMore;) {
      const { lines, next, total } = await source.rollouts("soft", { after, limit: 5, order });
      assertEquals(total, records.length);
      seen.push(...lines.map(({ place }) => place));
      [after, isMore] = [next ?? undefined, next !== null];
    }
    assertEquals(seen, order === "first" ? those(() => true) : those(() => true).reverse());
  }
  const facets = await source.facets("soft");
  assertEquals([facets.rollouts, stepsOf(facets.steps)], [records.length, [1, 2, 3, 4]]);
  assertEquals(facets.questions, new Set(records.map(({ id }) => id)).size);
  assertEquals(facets.often.reduce((sum, { rollouts }) => sum + rollouts, 0), records.length);
});

Deno.test("a text is found in questions, thoughts and answers, in any case, and nowhere else", async () => {
  await using view = viewOf([run]);
  const records = jsonLines(`${run}/samples.jsonl`);
  const found = async (text: string) => {
    const places: number[] = [];
    for (let after: number | undefined, isMore = true; isMore;) {
      const { lines, next } = await view.source.rollouts("soft", { text, after, limit: 2 });
      places.push(...lines.map(({ place }) => place));
      [after, isMore] = [next ?? undefined, next !== null];
    }
    return places;
  };
  const having = (text: string) =>
    records.flatMap(({ question, thinking, answer }, i) =>
      [question, thinking, answer].some((one) => one.toLowerCase().includes(text.toLowerCase())) ? [i] : []
    );
  for (const text of ["HOW MANY", records[3].question.slice(0, 12), records[5].answer, 'a"b', "\\boxed{"]) {
    assertEquals(await found(text), having(text), text);
  }
  assertEquals(await found("thinking_tokens"), [], "a key is no text");
});

Deno.test("a rollout in full is its record: each step with its text, probability, entropy and mixture", async () => {
  await using view = viewOf([run]);
  const record = jsonLines(`${run}/samples.jsonl`)[3];
  const one = await view.source.rollout("soft", 3);
  assertEquals([one.questionText, one.gold, one.boxed, one.forced], [
    record.question,
    record.gold,
    record.boxed,
    record.forced,
  ]);
  assertEquals(one.thought.map(({ token }) => token), record.thinking_tokens);
  assertEquals(one.thought.map(({ entropy }) => entropy), record.thinking_entropies);
  assertEquals(
    one.thought.map(({ text }) => text),
    record.thinking_tokens.map((id: number) => record.pieces[id]),
  );
  assertEquals(
    one.thought[0].mixture!.map(({ token }) => token),
    record.mixtures[0].map(([id]: number[]) => id),
  );
  assertEquals(one.answer.map(({ logp }) => logp), record.answer_log_probabilities);
  assert(one.continuous && one.tokenized && one.way === "soft");
  await assertRejects(() => view.source.rollout("soft", 10_000), Error, "There is no rollout 10000 in soft");
  await assertRejects(() => view.source.rollout("hard", 0), Error, "There is no hard in these folders");
});

Deno.test("an evaluation has its modes side by side, its tables, and those of a run and a sweep are theirs", async () => {
  await using view = viewOf([folder]);
  const { source } = view;
  const id = folder.split("/").at(-1)!;
  const { lines } = await source.rollouts(`${id}/results`, {});
  assertEquals(
    new Set(lines.map(({ mode }) => mode)),
    new Set(["hard-greedy", "hard-sample", "soft-sample"]),
  );
  const { question } = lines[0];
  const same = await source.rollouts(`${id}/results`, { question });
  assertEquals(same.lines.map(({ mode }) => mode), [
    "hard-greedy",
    ...four("hard-sample"),
    ...four("soft-sample"),
  ]);
  const soft = await source.rollout(`${id}/results`, same.lines.at(-1)!.place);
  assert(soft.thought.every(({ mixture }) => mixture!.length > 0), "kept by --keep-mixtures");
  assertEquals((await source.sightings(question)).map(({ id }) => id), [`${id}/results`]);

  const { tasks: [report] } = JSON.parse(Deno.readTextFileSync(`${folder}/results/report.json`));
  const tables = await source.tables(`${id}/results`);
  assertEquals(
    tables.measured.map(({ mode, passAt, when }) => [mode, passAt, when]),
    report.modes.map(
      // deno-lint-ignore no-explicit-any
      ({ mode, passAt }: any) => [mode, passAt, "evaluation"],
    ),
  );
  const ofRun = await source.tables(`${id}/runs/soft`);
  assertEquals(new Set(ofRun.measured.map(({ when, step }) => `${when} ${step}`)).has("before 0"), true);
  assertEquals(ofRun.measured.filter(({ when }) => when === "after").length, 6);
  const { before, after } = JSON.parse(Deno.readTextFileSync(`${run}/tests.json`));
  const shares = (tests: ModeResult[], mode: string) =>
    tests.find((one) => one.mode === mode)!.questions.map(({ correct, samples }) => correct / samples);
  for (const { when, mode, rise } of ofRun.measured) {
    const told = when === "before" ? null : pairedChange(shares(before, mode), shares(after, mode));
    assertEquals(rise, told, `${when} ${mode}`);
  }
  const ways = await source.tables(`${id}/ways`);
  assertEquals([...new Set(ways.measured.map(({ line }) => line))].sort(), ["soft", "untrained"]);
  assertEquals(ways.notes, []);
  assertEquals(ways.comparison!.rows.map(({ line, runs }) => [line, runs]).at(-1), ["soft", 2]);
});

Deno.test("tables are made again where a file of theirs is another, and a sweep was written when its newest run was", async () => {
  const id = "changing";
  const ways = `${folder}/${id}`;
  copyFolder(`${folder}/ways`, ways);
  using source = folderSource(rootsOf([ways]), { writable: false });
  const first = await source.tables(id);
  assert(first === await source.tables(id), "nothing has changed");
  const rowsOf = ({ measured }: typeof first) => measured.map(({ line, step }) => `${line} ${step}`);
  for (const at of ["runs/soft-seed-1/evaluations/step-000002", "untrained-2/evaluations/step-000000"]) {
    const before = await source.tables(id);
    copyFolder(`${ways}/untrained/evaluations/step-000000`, `${ways}/${at}`);
    const after = await source.tables(id);
    assert(after.measured.length > before.measured.length, at);
    assert(after === await source.tables(id));
  }
  const report = `${ways}/untrained/evaluations/step-000000/sums.json`;
  const text = Deno.readTextFileSync(report);
  Deno.writeTextFileSync(report, "{");
  const damaged = await source.tables(id);
  assertMatch(damaged.notes[0], /sums\.json is damaged/);
  assert(damaged !== await source.tables(id), "what is damaged is looked at again");
  Deno.writeTextFileSync(report, text);
  assertEquals(rowsOf(await source.tables(id)).includes("untrained 0"), true);

  const newest = new Date(Date.now() + 60_000);
  Deno.utimeSync(`${ways}/runs/soft-seed-1/metrics.jsonl`, newest, newest);
  using later = folderSource(rootsOf([ways]), { writable: false });
  const { places } = await later.overview();
  const [sweep, ...runs] = places.map(({ updated }) => updated);
  assertEquals([sweep, Math.max(...runs)], [newest.getTime(), newest.getTime()]);
});

const four = (mode: string) => Array.from({ length: 4 }, () => mode);

Deno.test("what a run writes is told as it is written, and answered at once", async () => {
  const growing = `${folder}/growing`;
  copyFolder(run, growing);
  const [metrics, samples] = ["metrics", "samples"].map((name) =>
    Deno.readTextFileSync(`${growing}/${name}.jsonl`)
  );
  Deno.writeTextFileSync(`${growing}/metrics.jsonl`, metrics.split("\n").slice(0, 2).join("\n") + "\n");
  Deno.writeTextFileSync(`${growing}/samples.jsonl`, "");
  using lock = Deno.openSync(`${growing}/lock`, { write: true, create: true });
  assert(lock.tryLockSync(true));
  await using view = viewOf([growing]);
  const told: string[][] = [];
  const stop = view.source.onChange((ids) => told.push(ids));
  try {
    const [before] = (await view.source.overview()).places;
    assertEquals([before.state, before.steps, before.rollouts], ["running", 2, 0]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    Deno.writeTextFileSync(`${growing}/metrics.jsonl`, metrics.split("\n")[2] + "\n", { append: true });
    Deno.writeTextFileSync(`${growing}/samples.jsonl`, samples, { append: true });
    assertEquals(
      (await view.source.metrics("growing", { from: 2 })).columns.step,
      [3],
      "before anything is told",
    );
    await until(() => told.flat().includes("growing"), "a change is told");
    const [now] = (await view.source.overview()).places;
    assertEquals([now.steps, now.rollouts], [3, jsonLines(`${run}/samples.jsonl`).length]);
    told.length = 0;
    lock.unlockSync();
    await until(() => told.flat().includes("growing"), "its end is told");
    assertEquals((await view.source.overview()).places[0].state, "stopped");
    told.length = 0;
    Deno.removeSync(growing, { recursive: true });
    await until(() => told.length > 0, "that it is gone is told");
    const gone = await view.source.overview();
    assertEquals(gone.places, []);
    assertMatch(gone.notes[0], /^growing is gone/);
  } finally {
    stop();
  }
});

Deno.test("two views of one folder answer alike, and a copy from elsewhere as the original", async () => {
  const copy = `${folder}/copied/soft`;
  copyFolder(run, copy);
  await using one = viewOf([run]);
  await using two = viewOf([run]);
  await using other = viewOf([copy]);
  const answers = await Promise.all([one, two, other].map(async ({ source }) => [
    await source.metrics("soft"),
    await source.rollouts("soft", { order: "last" }),
    await source.facets("soft"),
    await source.tables("soft"),
  ]));
  assertEquals(answers[1], answers[0]);
  assertEquals(answers[2], answers[0]);
});
