/** `softcot sweep` as a process: what it leaves, killed and gone on with, failures, and what stands in its way. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { messageOf } from "../../../cli/sweep/children.ts";
import { readSweep } from "../../../cli/sweep/read_sweep.ts";
import { openSweep } from "../../../cli/sweep/sweep_folder.ts";
import { PARENT, STATUS } from "../../../cli/terminal/interrupt.ts";
import { isTaken } from "../../../model/files/on_disk.ts";
import { assertSameRun, linesIn } from "../../rl/support/run_files.ts";
import { timeless } from "../../support/timeless.ts";
import { onSmallDisk } from "../../support/small_disk.ts";
import { fails, runSoftcot, succeed } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { stopWhen } from "../support/stop_when.ts";
import { type SweepFile, sweepFile } from "../support/sweep_file.ts";

const { folder, model } = await smallModel();

/** Writes a sweep's file, and says how it is run. */
function sweep(name: string, options: Partial<SweepFile>, ...flags: string[]): string[] {
  const file = `${folder}/${name}.toml`;
  Deno.writeTextFileSync(file, sweepFile({ model, ...options }));
  return ["sweep", file, ...flags];
}

const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
const json = (path: string) => JSON.parse(Deno.readTextFileSync(path));
const RUNS = ["hard-seed-0", "soft-seed-0", "hard-seed-1", "soft-seed-1"];

let made: Promise<string> | undefined;
/** A sweep that was never stopped: made once. */
function wholeSweep(): Promise<string> {
  const make = async () => {
    const out = `${folder}/whole`;
    const { stdout, stderr } = await succeed(sweep("whole", {}, "--out", out, "--jobs", "2", "--json"));
    const { failures, comparison } = JSON.parse(stdout);
    assertEquals(failures, []);
    assertEquals(comparison, json(`${out}/comparison.json`));
    assertMatch(stderr, /^done {5}hard-seed-0 in \d+s$/m);
    assertMatch(stderr, /^sweep 5\/5/m);
    assertStringIncludes(stderr, `the sweep is in ${out}\n`);
    return out;
  };
  return made ??= make();
}

Deno.test("every run is an ordinary run with its evaluations beside it; the table has a line for each way", async () => {
  const out = await wholeSweep();
  assertEquals(names(`${out}/runs`), [...RUNS].sort());
  for (const run of RUNS) {
    assertEquals(linesIn(`${out}/runs/${run}/metrics.jsonl`), 6);
    assertEquals(names(`${out}/runs/${run}/evaluations`), ["step-000003", "step-000006"]);
    const { tasks } = json(`${out}/runs/${run}/evaluations/step-000006/both.json`);
    assertEquals(tasks.map(({ task }: { task: { name: string } }) => task.name), ["sums", "owners"]);
  }
  assertEquals(names(`${out}/untrained/evaluations`), ["step-000000"]);
  const { against, rows } = json(`${out}/comparison.json`);
  assertEquals(against, "hard");
  // deno-lint-ignore no-explicit-any
  const told = rows.map(({ line, runs, step, mode }: any) => [line, runs, step, mode]);
  assertEquals(told, [
    ["untrained", 1, 0, "hard-greedy"],
    ["untrained", 1, 0, "hard-sample"],
    ["hard", 2, 6, "hard-greedy"],
    ["hard", 2, 6, "hard-sample"],
    ["soft", 2, 6, "hard-greedy"],
    ["soft", 2, 6, "hard-sample"],
  ]);
  const alone = `${folder}/alone`;
  const args = ["train", "--config", `${out}/settings/soft-seed-1.toml`, "--out", alone];
  await succeed(args);
  assertSameRun(`${out}/runs/soft-seed-1`, alone);
});

Deno.test("a table of a sweep's folder: other reference, checkpoints, Markdown, CSV; runs alone have names of their settings", async () => {
  const out = await wholeSweep();
  const { stdout: text } = await succeed(["compare", out, "--checkpoints", "--mode", "hard-sample"]);
  const steps = text.split("\n").flatMap((line) =>
    /^(\w+) +\d +(\d) +hard-sample /.exec(line)?.slice(1, 3) ?? []
  );
  assertEquals(steps, ["untrained", "0", "hard", "3", "hard", "6", "soft", "3", "soft", "6"]);
  const { stdout: csv } = await succeed(["compare", out, "--against", "untrained", "--csv"]);
  const [header, ...records] = csv.trimEnd().split("\n").map((line) => line.split(","));
  assertEquals(records.length, 6);
  const cell = (record: string[], name: string) => record[header.indexOf(name)];
  assertEquals(records[2].slice(0, 5), ["hard", "2", "6", "sums", "hard-greedy"]);
  assert(Number(cell(records[2], "NLL owners standard error")) > 0);
  const change = Number(cell(records[2], "NLL owners")) - Number(cell(records[0], "NLL owners"));
  assert(Math.abs(change - Number(cell(records[2], "NLL owners difference"))) < 1e-9);
  const { stdout: markdown } = await succeed([
    "compare",
    ...RUNS.map((run) => `${out}/runs/${run}`),
    "--markdown",
  ]);
  assertMatch(markdown, /^\| hard, gamma 0\.5 \| 2 \| 6 \| hard-greedy \| /m);
  assertMatch(markdown, /^\| soft, gamma 0\.6 \| 2 \| 6 \| hard-sample \| .* [+-]0\.\d{3} ± 0\.\d{3} \|/m);
});

Deno.test("killed by -9 in two trainings and an evaluation, and started again, it equals one never stopped", async () => {
  const expected = await wholeSweep();
  const out = `${folder}/killed`;
  const args = sweep("killed", { seeds: [0] }, "--out", out, "--jobs", "2");
  const lines = 1 + Math.floor(6 * Math.random());
  const points: [string, () => boolean][] = [
    [`line ${lines}`, () => linesIn(`${out}/runs/hard-seed-0/metrics.jsonl`) >= lines],
    ["training", () => linesIn(`${out}/runs/soft-seed-0/metrics.jsonl`) >= 2],
    ["evaluation", () => linesIn(`${out}/jobs/soft-seed-0.json`) > 0],
  ];
  for (const [where, ready] of points) {
    const { status, stderr } = await stopWhen(args, ready, "SIGKILL");
    assertEquals(status.signal, "SIGKILL", `${where}: killed too late: ${stderr}`);
  }
  await succeed(args);
  for (const run of ["hard-seed-0", "soft-seed-0"]) {
    assertSameRun(`${out}/runs/${run}`, `${expected}/runs/${run}`);
    for (const step of ["step-000003", "step-000006"]) {
      const report = `runs/${run}/evaluations/${step}/both.json`;
      assertEquals(timeless(json(`${out}/${report}`)), timeless(json(`${expected}/${report}`)));
    }
  }
});

Deno.test("Ctrl-C lets the runs save, and says how to go on; another sweep in the folder is refused meanwhile", async () => {
  const out = `${folder}/interrupted`;
  const args = sweep("interrupted", { fixed: "clip = 2.0", seeds: [0] }, "--out", out);
  let refused: Promise<string> | undefined;
  let told = false;
  const { status, stderr } = await stopWhen(args, () => {
    if (linesIn(`${out}/runs/hard-seed-0/metrics.jsonl`) < 1) return false;
    refused ??= fails(args, 1, `Cannot go on in ${out}: another sweep is at work there`)
      .finally(() => told = true);
    return told;
  }, "SIGINT");
  await refused;
  assertEquals([status.code, status.signal], [130, null], stderr);
  assertMatch(stderr, /^Stopping: the runs under way save first\./m);
  assertMatch(stderr, /^\d of 3 jobs are done; the same command goes on\.$/m);
});

Deno.test("a run that is refused is named and stops no other; it is tried again, and a dry run tells of it", async () => {
  const out = `${folder}/refused`;
  const ways =
    '[[grid.way]]\nname = "still"\nthinking = "soft"\ngamma = 0\n[[grid.way]]\nname = "hard"\nthinking = "hard"\n';
  const args = sweep("refused", { ways, seeds: [0] }, "--out", out, "--json");
  const first = await runSoftcot([...args, "--dry-run"]);
  // The first run tells no speed: it is refused.
  assertEquals(first.code, 0, first.stderr);
  const { seconds, jobs } = JSON.parse(first.stdout);
  assertEquals(seconds, null);
  // deno-lint-ignore no-explicit-any
  assertEquals(jobs.map(({ name, state }: any) => [name, state]), [
    ["untrained", "done"],
    ["still-seed-0", "failed"],
    ["hard-seed-0", "to do"],
  ]);
  const { code, stdout, stderr } = await runSoftcot(args);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "Cannot complete the sweep: 1 job failed (still-seed-0); still-seed-0, train: Cannot train soft thinking with --gamma 0",
  );
  const { failures, comparison } = JSON.parse(stdout);
  assertEquals([failures.length, failures[0].name], [1, "still-seed-0"]);
  // deno-lint-ignore no-explicit-any
  assertEquals([...new Set(comparison.rows.map(({ line }: any) => line))], ["untrained", "hard"]);
});

Deno.test("own code of runs and evaluations may do what the sweep's command line says, each time anew", async () => {
  const out = `${folder}/granted`;
  for (const place of ["code", "outside"]) Deno.mkdirSync(`${folder}/${place}`);
  const [reward, task] = [`${folder}/code/reward.ts`, `${folder}/code/task.ts`];
  const read = `Deno.readTextFileSync("${folder}/outside/text")`;
  Deno.writeTextFileSync(`${folder}/outside/text`, "Sam has 3 coins. How many coins does Sam have?");
  Deno.writeTextFileSync(reward, `export default () => ${read}.length;`);
  Deno.writeTextFileSync(
    task,
    `export default {
  questions: () => ({ test: [{ question: ${read}, gold: "3" }] }),
  prompt: (question: string) => \`User: \${question} Assistant:\`,
};`,
  );
  const options = { seeds: [0], ways: "", at: '["end"]', modes: ["hard-greedy"], tasks: [task] };
  const args = sweep("granted", { ...options, fixed: `reward = ["task", "${reward}"]` }, "--out", out);
  const granted = `--allow-own=read=${folder}/outside`;
  await fails(args, 1, "run-seed-0, train: Cannot reward a rollout by", "Requires read access");
  // As far as a run came without it nothing is lost, and what was granted once is not kept.
  const { stderr } = await succeed([...args, granted, "--reward-timeout", "30"]);
  assertMatch(stderr, /^done {5}run-seed-0/m);
  Deno.removeSync(`${out}/runs/run-seed-0/evaluations`, { recursive: true });
  await fails(args, 1, "run-seed-0, both at 6: Cannot use the task", "Requires read access");
  await succeed([...args, granted]);
  const { tasks } = json(`${out}/runs/run-seed-0/evaluations/step-000006/both.json`);
  assertEquals(tasks[0].questions, 1);
});

Deno.test("a dry run makes the first run, keeps it, and tells the time and memory of the rest; a plan may grow, not change", async () => {
  const out = `${folder}/dry`;
  const dry = (options: Partial<SweepFile>) => sweep("dry", options, "--out", out, "--dry-run", "--json");
  const { stdout } = await succeed(dry({ seeds: [0], ways: "" }));
  const first = JSON.parse(stdout);
  assertEquals(first.seconds, 0);
  const grown = JSON.parse((await succeed(dry({ seeds: [0, 1, 2], ways: "" }))).stdout);
  assert(grown.seconds > 0 && grown.bytes > 2 ** 26, JSON.stringify(grown));
  // deno-lint-ignore no-explicit-any
  assertEquals(grown.jobs.map(({ state }: any) => state), ["done", "done", "to do", "to do"]);
  const record = json(`${out}/jobs/run-seed-0.json`).seconds;
  const spent = Object.values<number>(record).reduce((sum, seconds) => sum + seconds, 0);
  assert(Math.abs(grown.jobs[2].seconds / spent - 1) < 1e-9);
  const { stdout: text } = await succeed(dry({ seeds: [0, 1, 2], ways: "" }).slice(0, -1));
  assertMatch(text, /^run-seed-2 +to do +0\/3 +\d+s +seed 2$/m);
  assertMatch(
    text,
    /^2 jobs to do, 1 at a time: about (\d+m )?\d+s, \d+ MiB of memory, \d+ [KM]iB of device memory$/m,
  );
  await fails(
    dry({ seeds: [0, 1, 2], ways: "", fixed: "clip = 3.0" }),
    1,
    "other settings of run run-seed-0",
  );
  await fails(dry({ seeds: [1, 2], ways: "" }), 1, "it was begun with a run run-seed-0");
  // What was interrupted tells no speed, though it is done.
  for (const name of ["untrained", "run-seed-0"]) {
    const { seconds } = json(`${out}/jobs/${name}.json`);
    const none = Object.fromEntries(Object.keys(seconds).map((part) => [part, null]));
    Deno.writeTextFileSync(`${out}/jobs/${name}.json`, JSON.stringify({ seconds: none }));
  }
  const again = await succeed(dry({ seeds: [0, 1, 2], ways: "" }));
  assertMatch(again.stderr, /made first, and kept: run-seed-1$/m);
  assert(JSON.parse(again.stdout).seconds > 0, again.stdout);
});

Deno.test("a process whose sweep is gone begins no run: another is started for it", async () => {
  const out = `${folder}/orphan`;
  const args = ["train", "--model", model, "--steps", "6", "--test-questions", "0", "--out", out];
  const { code, stderr } = await runSoftcot(args, { [PARENT]: "1" });
  assertEquals(code, STATUS.SIGTERM, stderr);
  assertStringIncludes(stderr, "Stopped before anything was begun");
  assert(!isTaken(out));
});

Deno.test("what the sweep itself cannot do ends it: runs beside it are stopped, and none is said to have failed", async () => {
  const out = `${folder}/broken`;
  const args = sweep("broken", { seeds: [0], at: '["end"]' }, "--out", out, "--jobs", "2");
  openSweep(out, readSweep(args[1], out))[Symbol.dispose]();
  Deno.mkdirSync(`${out}/logs/soft-seed-0.log`);
  await fails(args, 1, `Cannot write ${out}/logs/soft-seed-0.log`);
  assertEquals(names(`${out}/jobs`), []);
});

Deno.test("a process that a signal ended is told with it, and with its last words", () => {
  assertEquals(messageOf("a\nerror: b\nhint: c\n", null), "b");
  assertEquals(messageOf("train 3/6\n", null), "train 3/6");
  assertEquals(
    messageOf("train 3/6\n", "SIGKILL"),
    "it was ended by SIGKILL, as the system does where memory is short; it said last: train 3/6",
  );
  assertEquals(messageOf("", "SIGSEGV"), "it was ended by SIGSEGV");
});

Deno.test("a disk too full: told, and with room the same command goes on", () =>
  onSmallDisk(256, async (disk) => {
    const args = sweep("full", { seeds: [0], ways: "" }, "--out", `${disk}/sweep`);
    Deno.writeFileSync(`${disk}/filler`, new Uint8Array(4096 * 225));
    const { code, stderr } = await runSoftcot(args);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /No space left on device/);
    assert(!/^ +at /m.test(stderr), "a stack trace");
    Deno.removeSync(`${disk}/filler`);
    await succeed(args);
    assertEquals(linesIn(`${disk}/sweep/runs/run-seed-0/metrics.jsonl`), 6);
  }));
