/** Runs that are killed, interrupted, or run out of disk go on, when resumed, as if nothing had happened. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { root } from "../../support/places.ts";
import { fails, softcotCommand, succeed } from "../support/run_softcot.ts";
import { assertSameRun, checkpointsOf, linesIn, metricsOf } from "../../rl/support/run_files.ts";
import { resumeArgs, trainArgs, type TrainFlags } from "../support/train_args.ts";
import { smallModel } from "../support/small_model.ts";
import { fill, onSmallDisk } from "../../support/small_disk.ts";
import { until } from "../../support/until.ts";
import { stopAt } from "../support/stop_when.ts";

const { folder, model } = await smallModel();
const STEPS = 24;
const train = (flags: TrainFlags) => trainArgs({ model, steps: STEPS, ...flags });

/** Without those that were set aside, and those in the making. */
const wholeCheckpoints = (out: string) => checkpointsOf(out).filter((name) => /^step-\d+$/.test(name));

/** The same run, never stopped: made once for each way of thinking. */
const whole = new Map<string, Promise<string>>();
function wholeRun(thinking: string, flags: TrainFlags = {}): Promise<string> {
  const name = nameOf(thinking, flags);
  const make = async () => {
    const out = `${folder}/whole-${name}`;
    await succeed(train({ thinking, ...flags, out }));
    assertEquals(metricsOf(out).length, STEPS);
    const trained = metricsOf(out).filter((line) => (line.gradient_norm as number) > 0).length;
    assert(trained > STEPS / 2, `only ${trained} steps trained: the comparison would say little`);
    return out;
  };
  if (!whole.has(name)) whole.set(name, make());
  return whole.get(name)!;
}

const nameOf = (thinking: string, flags: TrainFlags) => [thinking, ...Object.values(flags)].join("-");

// Before the first checkpoint, and wherever else the signal falls.
for (
  const { thinking, kills, ...flags } of [
    { thinking: "soft", kills: [1, 6, 14] },
    { thinking: "hard", kills: [1, 9] },
    { thinking: "fuzzy", kills: [7] },
    { thinking: "soft", kills: [8], staleness: 2 },
    { thinking: "multiplex", kills: [6] },
    { thinking: "gumbel", kills: [8] },
    { thinking: "dirichlet", kills: [6] },
    { thinking: "covariance", kills: [8] },
    { thinking: "multiplex", kills: [8], weighting: "probability" },
    { thinking: "neighbours", kills: [6], rho: 0.3 },
    { thinking: "soft", kills: [8], "noise-on": "logits" },
    { thinking: "soft", kills: [6], "noise-on": "top-logits" },
    { thinking: "soft", kills: [8], "noise-on": "hidden" },
  ]
) {
  const name = nameOf(thinking, flags);
  Deno.test(`${name}: a run that is killed again and again ends like one that never was`, async () => {
    const expected = await wholeRun(thinking, flags);
    const out = `${folder}/killed-${name}`;
    for (const [i, lines] of kills.entries()) {
      const { status, stderr } = await stopAt(
        i === 0 ? train({ thinking, ...flags, out }) : resumeArgs(out),
        out,
        lines,
        "SIGKILL",
      );
      assertEquals(status.signal, "SIGKILL", `killed too late: ${stderr}`);
    }
    const { stdout, stderr } = await succeed(resumeArgs(out));
    const [, from] = /^run .*, from step (\d+)$/m.exec(stderr)!;
    assert(Number(from) > 0 && Number(from) < STEPS, `resumed from step ${from}`);
    assertMatch(stdout, new RegExp(`^${STEPS - Number(from)} of ${STEPS} updates in `));
    assertSameRun(out, expected);
  });
}

Deno.test("a diagnosed run that is killed measures the same when it goes on, and learns what one learns that is not diagnosed", async () => {
  const flags = { "diagnose-every": 2 };
  const expected = `${folder}/diagnosed`;
  await succeed(train({ ...flags, out: expected }));
  const plain = await wholeRun("soft");
  const lines = metricsOf(expected);
  assertEquals(lines[0].kl_thinking, 0);
  assert(
    lines.every(({ step, kl_answer }) =>
      (kl_answer === undefined) === (step !== 1 && (step as number) % 2 === 1)
    ),
  );
  const withoutMeasured = lines.map(({ kl_thinking: _, kl_answer: __, gradient_cosine: ___, ...line }) => {
    const { gradient_norm_thinking: ____, gradient_norm_answer: _____, ...rest } = line;
    return rest;
  });
  assertEquals(withoutMeasured, metricsOf(plain));
  const [ours, theirs] = [expected, plain].map((run) =>
    Deno.readFileSync(`${run}/checkpoints/step-000024/model.safetensors`)
  );
  assertEquals(ours, theirs);
  const out = `${folder}/killed-diagnosed`;
  await stopAt(train({ ...flags, out }), out, 4, "SIGKILL"); // the checkpoint of step 3 has the gradient for step 4
  await stopAt(resumeArgs(out), out, 11, "SIGKILL");
  await succeed(resumeArgs(out));
  assertSameRun(out, expected);
});

Deno.test("a diagnosed run is compared with the model that it began from, and with no other", async () => {
  const [base, out] = [`${folder}/other-base`, `${folder}/compared`];
  Deno.mkdirSync(base);
  for (const { name } of Deno.readDirSync(model)) Deno.copyFileSync(`${model}/${name}`, `${base}/${name}`);
  await stopAt(trainArgs({ model: base, steps: STEPS, "diagnose-every": 5, out }), out, 4, "SIGKILL");
  const weights = Deno.readFileSync(`${base}/model.safetensors`);
  weights[weights.length - 2] ^= 1;
  Deno.writeFileSync(`${base}/model.safetensors`, weights);
  await fails(resumeArgs(out), 1, `other-base is not the model that it began from`);
});

Deno.test("Ctrl-C saves the step under way, ends with 130 and says how to go on; going on changes nothing", async () => {
  const expected = await wholeRun("soft");
  const out = `${folder}/interrupted`;
  const { status, stderr } = await stopAt(train({ out }), out, 7, "SIGINT");
  assertEquals([status.code, status.signal], [130, null], stderr);
  const step = metricsOf(out).length;
  assert(step >= 7 && step < STEPS);
  assertStringIncludes(stderr, "Stopping after this update, then saving.");
  assertStringIncludes(stderr, `Saved step ${step}. Go on with: softcot train --resume --out ${out}\n`);
  assertEquals(checkpointsOf(out).at(-1), `step-${String(step).padStart(6, "0")}`);
  assertEquals(metricsOf(out), metricsOf(expected).slice(0, step));
  await succeed(resumeArgs(out));
  assertSameRun(out, expected);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test(`${signal} saves like Ctrl-C, and ends with ${code}`, async () => {
    const out = `${folder}/${signal}`;
    const { status, stderr } = await stopAt(train({ thinking: "hard", out }), out, 3, signal);
    assertEquals([status.code, status.signal], [code, null], stderr);
    const step = metricsOf(out).length;
    assertStringIncludes(stderr, `Saved step ${step}. Go on with: softcot train --resume --out ${out}\n`);
    assertEquals(wholeCheckpoints(out).at(-1), `step-${String(step).padStart(6, "0")}`);
  });
}

Deno.test("a run whose terminal is gone saves and ends; one whose reader is gone goes on to its end", async () => {
  const out = `${folder}/dropped`;
  const line = [Deno.execPath(), "run", "--allow-all", "--no-prompt", "--quiet", "cli/main.ts"];
  const quoted = [...line, ...train({ thinking: "hard", out })].map((word) => `'${word}'`).join(" ");
  const terminal = new Deno.Command("script", {
    args: ["-qc", quoted, "/dev/null"],
    cwd: root,
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  await until(() => linesIn(`${out}/metrics.jsonl`) >= 3, "three updates", 120);
  terminal.kill("SIGKILL"); // the terminal goes with the program that made it
  await terminal.status;
  await until(() => isFree(`${out}/lock`), "its lock is free", 120);
  const step = metricsOf(out).length;
  assert(step >= 3 && step < STEPS, `${step} steps`);
  assertEquals(wholeCheckpoints(out).at(-1), `step-${String(step).padStart(6, "0")}`);

  const read = `${folder}/unread`;
  const deaf = softcotCommand(train({ thinking: "hard", steps: 6, out: read }), {
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  await deaf.stderr.cancel();
  assertEquals((await deaf.status).code, 0);
  assertEquals(metricsOf(read).length, 6);
});

/** Whether no process holds the lock of a run. */
function isFree(path: string): boolean {
  using file = Deno.openSync(path, { write: true });
  return file.tryLockSync(true);
}

Deno.test("a resumed run keeps its settings: the same flag is accepted, another value is refused", async () => {
  const out = `${folder}/settings`;
  await succeed(train({ steps: 4, seed: 5, out }));
  const refused = (flags: string[], message: string) =>
    fails(
      [...resumeArgs(out), ...flags],
      1,
      `error: Cannot resume ${out} with ${message}`,
      "hint: leave the flag out, or start a new run",
    );
  await refused(["--lr", "1"], "--lr 1: it runs with 0.01");
  await refused(["--thinking", "hard"], "--thinking hard: it runs with soft");
  await refused(["--clip-step", "2"], "--clip-step 2: it runs with ");
  // Finished as it is, the run has nothing left to do.
  const before = Deno.readTextFileSync(`${out}/metrics.jsonl`);
  const { stdout } = await succeed([...resumeArgs(out), "--seed", "5", "--group", "6"]);
  assertMatch(stdout, /^0 of 4 updates in /);
  assertEquals(Deno.readTextFileSync(`${out}/metrics.jsonl`), before);
  await fails(resumeArgs(`${folder}/none`), 1, `${folder}/none`, "hint: ");
});

Deno.test("a damaged newest checkpoint is told and set aside: the run goes on from the one before, to the same end", async () => {
  const expected = await wholeRun("hard");
  const out = `${folder}/damaged`;
  await stopAt(train({ thinking: "hard", out }), out, 10, "SIGKILL");
  const [older, newest] = wholeCheckpoints(out).slice(-2);
  Deno.truncateSync(`${out}/checkpoints/${newest}/optimizer.safetensors`, 3000);
  const { stderr } = await succeed(resumeArgs(out));
  assertStringIncludes(
    stderr,
    `warning  Cannot resume from ${out}/checkpoints/${newest}: optimizer.safetensors`,
  );
  assertStringIncludes(stderr, `it is ${out}/checkpoints/${newest}.damaged now`);
  assertStringIncludes(stderr, `, from step ${Number(older.slice(5))}\n`);
  assertSameRun(out, expected);
});

Deno.test("a run whose checkpoints are all damaged or gone is not begun anew over its lines", async () => {
  const out = `${folder}/lost`;
  await succeed(train({ thinking: "hard", steps: 6, out }));
  const metrics = Deno.readTextFileSync(`${out}/metrics.jsonl`);
  for (const name of wholeCheckpoints(out)) Deno.truncateSync(`${out}/checkpoints/${name}/state.json`, 5);
  await fails(resumeArgs(out), 1, "state.json", "no other one is whole", "hint: put a whole copy");
  for (const name of wholeCheckpoints(out)) {
    Deno.removeSync(`${out}/checkpoints/${name}`, { recursive: true });
  }
  await fails(resumeArgs(out), 1, "its metrics go to step 6, but it has no checkpoint");
  assertEquals(Deno.readTextFileSync(`${out}/metrics.jsonl`), metrics);
});

Deno.test("lines of a log that are damaged or gone, and a damaged table, are told on resume", async () => {
  const out = `${folder}/holes`;
  await stopAt(train({ thinking: "hard", "test-questions": 4, out }), out, 10, "SIGKILL");
  const lines = Deno.readTextFileSync(`${out}/metrics.jsonl`).split("\n");
  lines[1] = lines[1].slice(0, 30);
  lines.splice(4, 1);
  Deno.writeTextFileSync(`${out}/metrics.jsonl`, lines.join("\n"));
  Deno.truncateSync(`${out}/tests.json`, 20);
  const { stderr } = await succeed(resumeArgs(out));
  assertStringIncludes(stderr, "warning  metrics.jsonl had 1 lines that cannot be read");
  assertMatch(stderr, /^warning {2}metrics\.jsonl has no line of 2 of \d+ updates, the first is step 2/m);
  assertStringIncludes(stderr, "warning  tests.json cannot be read");
});

Deno.test("a checkpoint of a model of another shape is refused", async () => {
  const [out, other] = [`${folder}/narrow`, `${folder}/other-shape`];
  await stopAt(train({ thinking: "hard", out }), out, 5, "SIGKILL");
  const wider = `${folder}/wider`;
  await succeed([
    ...["sft", "--width", "24", "--heads", "2", "--layers", "1", "--mlp", "24", "--steps", "1"],
    ...["--batch", "2", "--out", wider],
  ]);
  await succeed(train({ thinking: "hard", steps: 6, model: wider, out: other }));
  const last = wholeCheckpoints(other).at(-1)!;
  for (const name of wholeCheckpoints(out)) {
    Deno.removeSync(`${out}/checkpoints/${name}`, { recursive: true });
  }
  Deno.renameSync(`${other}/checkpoints/${last}`, `${out}/checkpoints/${last}`);
  await fails(resumeArgs(out), 1, "its checkpoint's hiddenSize is 24, the run's is 16", "another run's");
});

Deno.test("a disk too full for a checkpoint: told, the one before is whole, and with room the run goes on", () =>
  onSmallDisk(256, async (disk) => {
    const [out, expected] = [`${disk}/run`, `${folder}/roomy`];
    const flags = { "validate-every": 0, keep: 1, steps: 9, "sample-every": 0 };
    await succeed(train({ ...flags, out: expected }));
    // A checkpoint takes about 19 pages, the logs and the settings 5.
    fill(disk, 256 - 36);
    const hint = `hint: the checkpoints before it are whole: make room, then --resume --out ${out}\n`;
    const stderr = await fails(train({ ...flags, out }), 1, hint);
    assertMatch(stderr, /^error: Cannot save step 6: cannot write .*: No space left on device/m);
    assertEquals(checkpointsOf(out), ["step-000003"]);
    Deno.removeSync(`${disk}/filler`);
    await succeed(resumeArgs(out));
    assertEquals(metricsOf(out), metricsOf(expected));
    for (const name of ["model", "optimizer"]) {
      const [ours, theirs] = [out, expected].map((run) =>
        Deno.readFileSync(`${run}/checkpoints/step-000009/${name}.safetensors`)
      );
      assertEquals(ours, theirs);
    }
  }));

Deno.test("a disk too full for the metrics: told, and the half-written line is gone after a resume", () =>
  onSmallDisk(128, async (disk) => {
    const out = `${disk}/run`;
    // Room for the settings, the shape and one page of each log.
    fill(disk, 128 - 4);
    const flags = { steps: 12, "validate-every": 0, "save-every": 100, "sample-every": 0 };
    const stderr = await fails(train({ ...flags, out }), 1, "--resume");
    assertMatch(stderr, /^error: Cannot write .*run\/metrics\.jsonl: No space left on device/m);
    assert(!Deno.readTextFileSync(`${out}/metrics.jsonl`).endsWith("\n"), "no line was cut short");
    Deno.removeSync(`${disk}/filler`);
    await succeed(resumeArgs(out));
    assertEquals(metricsOf(out).map(({ step }) => step), Array.from({ length: 12 }, (_, i) => i + 1));
  }));
