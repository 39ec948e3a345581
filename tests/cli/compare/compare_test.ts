/** `softcot compare` on runs that were written by hand, with numbers worked out by hand. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { compareLines } from "../../../cli/compare/comparison.ts";
import { comparisonCsv, describeComparison } from "../../../cli/compare/comparison_table.ts";
import { linesOf } from "../../../cli/compare/lines_of.ts";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";

const folder = await testFolder();

/** A run of two updates, with its own table after them: right samples of 2 by question. */
function writeRun(name: string, config: string, right: number[] | null, more = {}): string {
  const path = `${folder}/${name}`;
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/config.toml`, `task = "sums"\nsteps = 2\n${config}\n`);
  const line = (step: number) => ({
    ...{ step, tokens: 10, rollout_flops: 1e9, update_flops: 2e9, validation_accuracy: 0.75, ...more },
    time: { step: 1.5, rollout: 1, process_peak_bytes: 2 ** 20 * step, device_peak_bytes: 7 },
  });
  Deno.writeTextFileSync(
    `${path}/metrics.jsonl`,
    [1, 2].map((step) => `${JSON.stringify(line(step))}\n`).join(""),
  );
  if (right) Deno.writeTextFileSync(`${path}/tests.json`, JSON.stringify({ after: [modeOf(right)] }));
  return path;
}

/** Lays an evaluation into a run's folder. */
function evaluate(path: string, step: number, name: string, reports: unknown[]): void {
  const place = `${path}/evaluations/step-00000${step}`;
  Deno.mkdirSync(place, { recursive: true });
  Deno.writeTextFileSync(`${place}/${name}.json`, JSON.stringify({ tasks: reports }));
}

/** Of right samples of 2 by question. */
const sums = (right: number[], more = {}) => ({ task: { name: "sums" }, modes: [modeOf(right)], ...more });
const owners = (nlls: number[]) => ({
  task: { name: "owners" },
  answers: nlls.map((nll, i) => ({ id: `c${i}`, correct: i === 0, nll })),
});

const modeOf = (right: number[]) => ({
  ...{ mode: "hard-sample", samples: 2, entropy: 0.5, thinkingLength: 4, passAt: [{ k: 1 }, { k: 2 }] },
  questions: right.map((correct, i) => ({ id: `q${i}`, correct, samples: 2 })),
});

const hard = [0, 1].map((seed) =>
  writeRun(`hard-${seed}`, `thinking = "hard"\nseed = ${seed}`, [2, 1, seed])
);
const soft = [0, 1].map((seed) =>
  writeRun(`soft-${seed}`, `thinking = "soft"\nseed = ${seed}`, [2, 2, 2 * seed])
);

Deno.test("means, deviations over seeds, differences by seed and question, and costs", () => {
  const { against, rows: [a, b] } = compareLines(linesOf([...hard, ...soft]));
  assertEquals([against, a.line, b.line, a.runs, b.step], ["hard", "hard", "soft", 2, 2]);
  // pass@1 by question: hard 1, 0.5, 0 and 1, 0.5, 0.5; soft 1, 1, 0 and 1, 1, 1.
  assertAlmostEquals(a.passAt[0].mean, 3.5 / 6, 1e-12);
  assertAlmostEquals(b.passAt[0].mean, 5 / 6, 1e-12);
  assertAlmostEquals(b.passAt[0].sd!, Math.SQRT1_2 / 3, 1e-12);
  // Differences 0, 0.5, 0 and 0, 0.5, 0.5: questions' means 0, 0.5, 0.25, runs' means 1/6 and 1/3.
  const { value, standardError } = b.passAt[0].difference!;
  assertAlmostEquals(value, 0.25, 1e-12);
  assertAlmostEquals(standardError!, Math.sqrt(0.0625 / 3 + (1 / 72) / 2), 1e-12);
  // pass@2: hard 1, 1, 0 and 1, 1, 1; so is soft.
  assertEquals(b.passAt[1].difference, { value: 0, standardError: 0 });
  assertEquals(a.passAt[0].difference, null);
  assertEquals(b.cost, {
    ...{
      updates: 2,
      rolloutAge: 0,
      tokens: 20,
      seconds: 3,
      flops: 6e9,
      processBytes: 2 ** 21,
      deviceBytes: 7,
    },
  });
});

Deno.test("rollouts that are older than the last update are told of, where there are some", () => {
  const old = writeRun("old", 'thinking = "hard"\nstaleness = 2', [2, 1, 0], { rollout_age: 2 });
  const tableOf = (paths: string[]) => describeComparison(compareLines(linesOf(paths)));
  const told = tableOf([hard[0], old]);
  const [header, _, plain, older] = told.split("\n");
  const at = header.indexOf("off-policy");
  assertEquals([plain, older].map((row) => row.slice(at, at + "off-policy".length).trim()), ["0", "2"]);
  assertStringIncludes(told, "off-policy are the most updates that rollouts were old");
  assert(!tableOf(hard).includes("off-policy"));
});

Deno.test("a run's own table of other questions than its evaluations have is not compared with them", () => {
  const path = writeRun("mixed", 'thinking = "hard"\nseed = 8', [0, 0, 0]);
  const steps = () =>
    linesOf([path]).lines[0].runs[0].measured.map(({ step, modes }) => [step, modes.length]);
  assertEquals(steps(), [[2, 1]]);
  evaluate(path, 1, "end", [sums([2, 1, 2])]);
  assertEquals(steps(), [[1, 1], [2, 1]]);
  evaluate(path, 1, "end", [sums([2, 1])]);
  assertEquals(steps(), [[1, 1]]);
});

Deno.test("an evaluation beside the run takes the place of its own table; tasks of choices stand beside", () => {
  const path = writeRun("measured", 'thinking = "hard"\nseed = 7', [0, 0, 0]);
  const place = `${path}/evaluations/step-000002`;
  Deno.mkdirSync(place, { recursive: true });
  const answers = [1, 2, 4].map((nll, i) => ({ id: `c${i}`, correct: i === 0, nll }));
  const reports = [{ task: { name: "sums" }, modes: [modeOf([2, 2, 2])] }, {
    task: { name: "owners" },
    answers,
  }];
  const measured = () => {
    const { rows: [row] } = compareLines(linesOf([path]));
    return [row.passAt[0].mean, row.choices[0].nll.mean, row.choices[0].accuracy.mean];
  };
  // A bare list, and the report of a task alone, are what evaluations of old left.
  reports.forEach((report, i) => Deno.writeTextFileSync(`${place}/${i}.json`, JSON.stringify(report)));
  assertEquals(measured(), [1, 7 / 3, 1 / 3]);
  reports.forEach((_, i) => Deno.removeSync(`${place}/${i}.json`));
  for (const form of [reports, { tasks: reports }]) {
    Deno.writeTextFileSync(`${place}/mine.json`, JSON.stringify(form));
    assertEquals(measured(), [1, 7 / 3, 1 / 3]);
  }
  const [header, line] = comparisonCsv(compareLines(linesOf([path]))).split("\n").map((cells) =>
    cells.split(",")
  );
  assertEquals(line[header.indexOf("NLL owners")], `${7 / 3}`);
  assertEquals(line[header.indexOf("pass@1 difference")], "");
  assertEquals(line.length, header.length);
});

/** A sweep of two ways and two seeds, as it lies there when these of its runs have been measured. */
function writeSweep(name: string, measured: Record<string, unknown[]>): string {
  const path = `${folder}/${name}`;
  Deno.mkdirSync(`${path}/runs`, { recursive: true });
  const runs = ["hard-0", "soft-0", "hard-1", "soft-1"];
  const lines = Object.fromEntries(runs.map((run) => [run, run.split("-")[0]]));
  Deno.writeTextFileSync(`${path}/sweep.json`, JSON.stringify({ lines }));
  for (const [run, reports] of Object.entries(measured)) {
    const [way, seed] = run.split("-");
    writeRun(`${name}/runs/${run}`, `thinking = "${way}"\nseed = ${seed}`, null);
    Deno.mkdirSync(`${path}/runs/${run}/evaluations/step-000002`, { recursive: true });
    reports.forEach((report, i) => evaluate(`${path}/runs/${run}`, 2, `${i}`, [report]));
  }
  return path;
}

Deno.test("runs that were not measured are left out by name, and so is what is no run; the others keep their line", () => {
  const path = writeSweep("partly", {
    "hard-0": [sums([2, 1, 0])],
    "hard-1": [],
    "soft-0": [sums([2, 2, 0])],
  });
  Deno.mkdirSync(`${path}/runs/soft-1`);
  const { rows, notes } = compareLines(linesOf([path]));
  assertEquals(rows.map(({ line, runs, step }) => [line, runs, step]), [["hard", 1, 2], ["soft", 1, 2]]);
  assertEquals(rows[1].passAt[0].difference!.value, 1 / 6);
  assertEquals(notes, [
    `left out: Cannot compare ${path}/runs/soft-1: it holds no config.toml, a run's folder is needed`,
    `left out, nothing was measured: ${path}/runs/hard-1`,
  ]);
  const begun = writeSweep("begun", { "hard-0": [], "hard-1": [] });
  const young = compareLines(linesOf([begun]));
  assertEquals(young.rows.map(({ line, runs, mode }) => [line, runs, mode]), [["hard", 2, null]]);
  assertEquals(young.notes, [`left out, not begun: ${begun}/runs/soft-0, ${begun}/runs/soft-1`]);
});

Deno.test("an evaluation that one seed lacks costs that seed alone, there", () => {
  const path = writeSweep("lacking", {
    "hard-0": [sums([2, 1, 0]), owners([1, 2])],
    "hard-1": [owners([3, 4])],
    "soft-0": [sums([2, 2, 0]), owners([1, 1])],
    "soft-1": [sums([2, 2, 2])],
  });
  const comparison = compareLines(linesOf([path]));
  const told = comparison.rows.map(({ line, runs, choices: [{ nll }] }) => [line, runs, nll.mean]);
  assertEquals(told, [["hard", 1, 2.5], ["soft", 2, 1]]);
  assertEquals(comparison.notes, [
    `left out, not measured in hard-sample on sums after 2 updates: ${path}/runs/hard-1`,
    `left out, not measured in owners after 2 updates: ${path}/runs/soft-1`,
  ]);
  assertStringIncludes(describeComparison(comparison), `\n${comparison.notes.join("\n")}`);
  const end = "of differences (to hard after its 2 updates, paired by seed and question) the standard error";
  assertStringIncludes(describeComparison(comparison), end);
});

Deno.test("answers to other questions are no pair: their number, their names, their split or their answers differ", () => {
  const other = (name: string, report: unknown) =>
    compareLines(linesOf([writeSweep(name, { "hard-0": [sums([2, 1, 0])], "soft-0": [report] })]));
  const said = "no difference of soft to hard in hard-sample on sums: other questions were asked";
  for (
    const [name, report] of [
      ["fewer", sums([2, 2])],
      ["others", {
        ...sums([]),
        modes: [{ ...modeOf([2]), questions: ["a", "b", "c"].map((id) => ({ id, correct: 2, samples: 2 })) }],
      }],
    ] as const
  ) {
    const { rows, notes } = other(name, report);
    assertEquals([rows[1].passAt[0].difference, notes.includes(said)], [null, true]);
  }
  for (const [name, of] of [["split", (x: string) => ({ split: x })], ["hash", hashed]] as const) {
    const path = writeSweep(name, {
      "hard-0": [sums([2, 1, 0], of("a"))],
      "hard-1": [sums([2, 1, 0], of("a"))],
      "soft-0": [sums([2, 2, 0], of("b"))],
      "soft-1": [sums([2, 2], of("b"))],
    });
    const { rows, notes } = compareLines(linesOf([path]));
    assertEquals(rows.map(({ runs, passAt }) => [runs, passAt[0].mean]), [[2, 0.5], [1, 2 / 3]]);
    assertEquals(rows[1].passAt[0].difference, null);
    assertEquals(notes, [
      said,
      `left out, asked other questions in hard-sample on sums after 2 updates: ${path}/runs/soft-1`,
    ]);
  }
});

const hashed = (questionsHash: string) => ({ task: { name: "sums", questionsHash } });

Deno.test("lines of two sweeps that are called alike have the folders' names; a run or a sweep goes once", async () => {
  const measured = { "hard-0": [sums([2, 1, 0])], "soft-0": [sums([2, 2, 0])] };
  const [a, b] = ["a", "b"].map((name) => writeSweep(name, measured));
  const { against, rows } = compareLines(linesOf([a, b]));
  assertEquals(against, `${a}/hard`);
  assertEquals(rows.map(({ line }) => line), [`${a}/hard`, `${a}/soft`, `${b}/hard`, `${b}/soft`]);
  assertEquals(rows.map(({ passAt }) => passAt[0].difference?.value), [undefined, 1 / 6, 0, 1 / 6]);
  Deno.symlinkSync(a, `${folder}/link`);
  await fails(["compare", a, `${folder}/link`], 1, "it is the same run twice");
  await fails(["compare", a, `${a}/runs/soft-0`], 1, "it is the same run twice");
});

Deno.test("names that hold commas or quotes survive CSV; lines are named after what tells them apart", () => {
  const odd = writeRun("odd", 'thinking = "soft"\nseed = 3\nmodel = "a, \\"b\\""\nlr = 1e-5', [1, 1, 1]);
  const lines = linesOf([odd, soft[0]]);
  assertEquals(lines.lines.map(({ name }) => name), ['model a, "b", lr 1e-5', "soft"]);
  assertStringIncludes(comparisonCsv(compareLines(lines)), '"model a, ""b"", lr 1e-5",1,2,');
});

Deno.test("as a process: JSON, a table, and what is refused", async () => {
  const { stdout } = await succeed(["compare", ...hard, ...soft, "--json", "--against", "soft"]);
  const { against, rows } = JSON.parse(stdout);
  assertEquals([against, rows.length], ["soft", 2]);
  const { stdout: text } = await succeed(["compare", ...hard, ...soft]);
  assert(/^soft +2 +2 +hard-sample +0\.833 ± 0\.236 +/m.test(text), text);
  const empty = writeRun("empty", 'thinking = "hard"\nseed = 9', null);
  const { stdout: untested } = await succeed(["compare", empty]);
  assert(/^hard +1 +2 +- +- +- +0\.750 +20 +3 +0\.00600 /m.test(untested), untested);
  await fails(["compare", `${folder}/none`], 1, "there is no such folder, a run's folder is needed");
  await fails(["compare", folder], 1, "it holds no config.toml");
  await fails(["compare", hard[0], hard[0]], 1, "the same run twice");
  await fails(["compare", ...hard, "--against", "x"], 1, "there is no such line", "the lines are hard");
  await fails(["compare", ...hard, "--csv", "--markdown"], 2, "--csv and --markdown do not go together");
  Deno.writeTextFileSync(`${empty}/metrics.jsonl`, '[1]\n7\nnull\n"x"\n{}\n');
  assert(/^hard +1 +0 +- /m.test((await succeed(["compare", empty])).stdout));
  Deno.removeSync(`${empty}/metrics.jsonl`);
  for (const name of ["metrics.jsonl", "tests.json"]) {
    Deno.mkdirSync(`${empty}/${name}`);
    await fails(["compare", empty], 1, `${name}`, "it is a folder, a file is needed");
    Deno.removeSync(`${empty}/${name}`);
  }
  const twice = writeRun("twice", "", null);
  Deno.writeTextFileSync(`${twice}/metrics.jsonl`, '{"step":1}\n{"step":1}\n');
  await fails(["compare", twice], 1, "its metrics.jsonl has step 1 after a later one, or twice");
  const bare = writeRun("bare", "", null);
  await fails(["compare", bare, bare], 1, "the same run twice");
  await succeed(["compare", bare]);
  Deno.writeTextFileSync(`${empty}/tests.json`, '{"after": [{"mode": 3}]}');
  await fails(["compare", empty], 1, "tests.json holds no results of softcot: after.0.mode is another");
  Deno.writeTextFileSync(`${empty}/tests.json`, "{");
  await fails(["compare", empty], 1, "tests.json is damaged");
});
