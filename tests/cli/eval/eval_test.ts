import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describeEvaluation } from "../../../cli/eval/eval_report.ts";
import type { EvaluationReport } from "../../../cli/eval/eval_generation.ts";
import { takeQuestions } from "../../../eval/questions/dataset.ts";
import type { ModeResult } from "../../../eval/measures/mode_result.ts";
import type { Mode } from "../../../eval/modes.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { root } from "../../support/places.ts";
import { modelFolder, thinker, THOUGHT } from "../support/model_folder.ts";
import { byteModel } from "../support/model_folder.ts";
import { finish, runSoftcot } from "../support/run_softcot.ts";
import { stopWhen } from "../support/small_runs.ts";

const folder = await modelFolder(thinker);
const model = `${folder}/model`;

/** The lines of one file of results. */
const recordsOf = (out: string, name: string) =>
  Deno.readTextFileSync(`${out}/${name}.jsonl`).trimEnd().split("\n").map((line) => JSON.parse(line));

/** What does not depend on the clock. */
const timeless = (data: unknown) =>
  JSON.parse(
    JSON.stringify(data, (key, value) => ["time", "seconds", "tokensPerSecond"].includes(key) ? null : value),
  );

Deno.test("eval prints a plain table of the six modes on stdout, and progress on stderr", async () => {
  const { code, stdout, stderr } = await runSoftcot([
    "eval",
    "--model",
    model,
    "--limit",
    "6",
    "--samples",
    "2",
  ]);
  assertEquals(code, 0, stderr);
  const lines = stdout.split("\n");
  assertMatch(
    lines[0],
    /^sums v1, first 6 test questions \(limited\), 2 samples, at most 52 thinking and 5 answer tokens, gamma 0\.1, seed 0$/,
  );
  assertMatch(lines[1], /^model .*\/model \([\da-f]{12}\), exact weights, on .+/);
  const modes = lines.filter((line) => /^(hard|soft|fuzzy)-/.test(line)).map((line) => line.split(/ {2,}/));
  assertEquals(modes.map(([name]) => name), [
    "hard-greedy",
    "hard-sample",
    "soft-greedy",
    "soft-sample",
    "fuzzy-greedy",
    "fuzzy-sample",
  ]);
  for (const [name, right, pass2, extracted, thinking, byTrigger, atLimit] of modes) {
    assertMatch(right, /^0\.\d{3} ± 0\.\d{3}$/);
    assertEquals(pass2 === "-", name.endsWith("greedy"));
    assertEquals([extracted, thinking, byTrigger, atLimit], ["1.000", "10.0", "1.000", "0.000"]);
  }
  assertStringIncludes(stdout, "Entropy of the next token (nats), by thinking position");
  // deno-lint-ignore no-control-regex
  assert(!/\x1b/.test(stdout + stderr), "no escape sequences in a pipe");
  const told = stderr.split("\n").filter((line) => !line.startsWith("error: XDG"));
  assertMatch(told[0], /^device +\S/);
  assertMatch(told[1], /^model +.*\/model: [\d,]+ parameters, exact weights$/);
  assertEquals(
    told[2],
    "task     sums: 6 test questions in 6 modes, 2 samples, at most 52 thinking and 5 answer tokens; 12 rollouts at once",
  );
  // Nothing has ended after a stride, but tokens have come.
  assertMatch(
    told[3],
    /^eval sums +0\/54 rollouts +mode hard-greedy +tokens 24$/,
  );
  assertMatch(
    told.at(-2)!,
    /^eval sums 54\/54 rollouts +mode fuzzy-sample +right 0\.\d{3} +tokens 648 +.* tokens\/s +\d+s$/,
  );
  const quiet = await runSoftcot(["eval", "-m", model, "--limit", "1", "--mode", "hard-greedy", "--quiet"]);
  assertEquals(quiet.stderr.replace(/^error: XDG_RUNTIME_DIR.*\n/gm, ""), "");
});

Deno.test("eval --json tells all that is needed to do it again; --out keeps every rollout", async () => {
  const out = `${folder}/results`;
  const args = [
    "eval",
    "sums",
    "-m",
    model,
    "--mode",
    "soft-sample,hard-greedy",
    "--samples",
    "3",
    "--limit",
    "4",
  ];
  const { code, stdout, stderr } = await runSoftcot([
    ...args,
    "--gamma",
    "0.2",
    "--seed",
    "5",
    "--json",
    "--out",
    out,
  ]);
  assertEquals(code, 0, stderr);
  const report = JSON.parse(stdout);
  const { split, questions, limited, samples, seed, gamma, maxThinking, answerTokens } = report;
  assertEquals({ split, questions, limited, samples, seed, gamma, maxThinking, answerTokens }, {
    split: "test",
    questions: 4,
    limited: true,
    samples: 3,
    seed: 5,
    gamma: 0.2,
    maxThinking: 52,
    answerTokens: 5,
  });
  assertEquals([report.task.name, report.task.version, report.model.name], ["sums", 1, model]);
  assertEquals(report.model.embeddingRms, 0.1);
  assertMatch(report.model.hash, /^[0-9a-f]{64}$/);
  assertMatch(report.task.promptHash, /^[0-9a-f]{64}$/);
  assert(report.device.name && report.device.subgroupSize >= 4);
  assertEquals(report.versions.deno, Deno.version.deno);
  assertEquals([report.shots, report.chatTemplate, report.trainedOn], [0, false, null]);
  const head = await finish("git", ["rev-parse", "HEAD"]);
  if (head.code === 0) assertEquals(report.versions.commit, head.stdout.trim());
  assertEquals(JSON.parse(await Deno.readTextFile(`${out}/report.json`)), report);
  assertEquals(report.modes.map(({ mode }: { mode: string }) => mode), ["soft-sample", "hard-greedy"]);

  const asked = takeQuestions(sums, "test", 5, 4);
  const [soft, hard] = ["soft-sample", "hard-greedy"].map((mode) => recordsOf(out, `sums-${mode}`));
  assertEquals([soft.length, hard.length], [4 * 3, 4]);
  soft.forEach((record, i) => {
    assertEquals([record.mode, record.index, record.id, record.sample, record.shadow], [
      "soft-sample",
      Math.floor(i / 3),
      asked[Math.floor(i / 3)].id,
      i % 3,
      THOUGHT,
    ]);
  });
  for (const record of [...soft, ...hard]) {
    assertEquals([record.text, record.answer, record.boxed], [`${THOUGHT} \\boxed{9}`, "9}", "9"]);
    assertEquals(record.correct, record.gold === "9");
    assert(["exact numbers", "identical text"].includes(record.rule), record.rule);
    assertEquals(record.thinking_log_probabilities.length, record.thinking_tokens.length);
    assertEquals(record.thinking_entropies.length, record.thinking_tokens.length);
    assert(record.time.seconds > 0 && record.time.elapsed >= record.time.seconds);
  }
  assertEquals(hard[0].shadow, null);
  const right = asked.filter(({ gold }) => gold === "9").length;
  assertEquals(report.modes[1].accuracy.value, right / 4);
});

Deno.test("the noise is the run's where nobody says", async () => {
  const run = `${folder}/run`;
  await Deno.mkdir(`${run}/checkpoints`, { recursive: true });
  await Deno.symlink(model, `${run}/checkpoints/step-000004`);
  await Deno.writeTextFile(`${run}/config.toml`, 'gamma = 0.77\nthinking = "soft"\n');
  const args = ["eval", "--model", run, "--limit", "1", "--mode", "hard-greedy", "--json"];
  assertEquals(JSON.parse((await runSoftcot(args)).stdout).gamma, 0.77);
  assertEquals(JSON.parse((await runSoftcot([...args, "--gamma", "0.5"])).stdout).gamma, 0.5);
});

Deno.test("eval names what is wrong: usage with status 2, files and models with 1", async () => {
  const refused = async (args: string[], status: number, message: string) => {
    const { code, stdout, stderr } = await runSoftcot(["eval", ...args]);
    assertEquals([code, stdout], [status, ""], stderr);
    assertStringIncludes(stderr, message);
    assert(!stderr.includes("    at "), "no stack");
  };
  await refused(["--mode", "hard-gredy"], 2, '"hard-greedy"');
  await refused(["--samples", "0"], 2, 'Option "--samples" must be an integer of at least 1');
  await refused(["--samples", "5000"], 2, "at most 4096");
  await refused(["--limits", "3"], 2, "hint: softcot eval --help");
  await refused(["sumz"], 1, "one of sums, sums-long, gsm8k");
  await refused(["sums", "sums"], 2, "The task sums is named twice");
  await refused(["--model", `${folder}/none`], 1, "there is no such folder");
  await refused(["--model", folder], 1, "looked for config.json there");
  await refused(["-m", model, "--out", `${model}/config.json`], 1, "it is a file, a folder is needed");
  await refused(["-m", model, "--out", model], 1, "it holds other things");
  await refused(
    ["-m", model, "--out", "/proc/results", "--limit", "1"],
    1,
    "Cannot keep results in /proc/results",
  );
  await refused(["-m", model, "--shots", "2", "--split", "train"], 1, "and so are the ones that are asked");
  await refused(["-m", model, "--chat-template"], 1, "the model has none");
  await refused(["-m", model, "--top-k", "3", "--mode", "soft-sample"], 2, "the mode hard-sample is needed");
  await refused(["-m", model, "--system", "Be brief."], 2, "--system goes with --chat-template");
  await refused(["-m", model, "--max-thinking", "400"], 1, "the model's context holds 256");
  await refused(["--config", `${folder}/none.toml`], 1, "there is no such file");
});

/** An evaluation of some seconds: sampled, few at once. Other flags may stand in the place of its own. */
const long = (out: string, flags: Record<string, string> = {}) => {
  const all = {
    ...{ "model": `${folder}/restless/model`, "limit": "12", "samples": "8", "batch-rows": "3", "seed": "3" },
    ...{ "mode": "hard-greedy,hard-sample,soft-sample", out },
    ...flags,
  };
  return ["eval", "sums", ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])];
};

Deno.test("killed or stopped anywhere and started again, the result is that of a run never stopped", async () => {
  const restless = await modelFolder((gpu) =>
    randomModel(gpu, { ...SMALL, eosTokenIds: [6, 12, 18, 24, 30] })
  );
  await Deno.symlink(restless, `${folder}/restless`);
  const whole = `${folder}/whole`;
  const plain = await runSoftcot([...long(whole), "--json"]);
  assertEquals(plain.code, 0, plain.stderr);
  const names = ["hard-greedy", "hard-sample", "soft-sample"].map((mode) => `sums-${mode}`);

  const out = `${folder}/broken`;
  const linesOf = (name: string) => {
    try {
      return Deno.readTextFileSync(`${out}/${name}.jsonl`).split("\n").length - 1;
    } catch {
      return 0;
    }
  };
  const stops: [string, number, Deno.Signal][] = [
    [names[0], 4, "SIGKILL"],
    [names[1], 20, "SIGKILL"],
    [names[1], 50, "SIGINT"],
    [names[2], 30, "SIGKILL"],
  ];
  let before = 0;
  for (const [name, lines, signal] of stops) {
    const { status, stderr } = await stopWhen(long(out), () => linesOf(name) >= lines, signal);
    assertEquals([status.success, status.signal], [false, signal === "SIGKILL" ? "SIGKILL" : null]);
    if (signal === "SIGINT") {
      assertEquals(status.code, 130);
      assertMatch(stderr, /Stopped; \d+ of 204 rollouts of sums are kept in .*: the same command goes on\./);
    }
    const now = names.reduce((sum, name) => sum + linesOf(name), 0);
    assert(now > before && now < 204, `${now} rollouts`);
    before = now;
  }
  // A line that was cut off in the middle.
  Deno.writeTextFileSync(`${out}/${names[2]}.jsonl`, '{"mode":"soft-sample","ind', { append: true });
  const resumed = await runSoftcot([...long(out), "--json"]);
  assertEquals(resumed.code, 0, resumed.stderr);
  assertEquals(timeless(JSON.parse(resumed.stdout)), timeless(JSON.parse(plain.stdout)));
  for (const name of names) {
    assertEquals(timeless(recordsOf(out, name)), timeless(recordsOf(whole, name)), name);
  }

  // What is complete is told again, without a rollout.
  const stamp = Deno.statSync(`${out}/${names[2]}.jsonl`).mtime;
  const again = await runSoftcot([...long(out), "--json"]);
  assertEquals(timeless(JSON.parse(again.stdout)), timeless(JSON.parse(plain.stdout)));
  assertEquals(Deno.statSync(`${out}/${names[2]}.jsonl`).mtime, stamp);
});

Deno.test("results of other settings are not gone on with", async () => {
  const refused = async (flags: Record<string, string>, message: string) => {
    const { code, stdout, stderr } = await runSoftcot(long(`${folder}/whole`, flags));
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, message);
    assertStringIncludes(
      stderr,
      "hint: give the settings it was made with, or choose another folder with --out",
    );
  };
  await refused({ seed: "4" }, "sums seed 3, not 4");
  await refused({ "max-thinking": "9" }, "its results were made with sums maxThinking 52, not 9");
  await refused(
    { mode: "hard-greedy" },
    'modes ["hard-greedy","hard-sample","soft-sample"], not ["hard-greedy"]',
  );
  await refused({ model }, "its results were made with model");
});

Deno.test("several tasks go one after the other into one folder", async () => {
  const out = `${folder}/two`;
  const args = [
    "eval",
    "sums",
    "sums-long",
    "-m",
    model,
    "--limit",
    "3",
    "--mode",
    "hard-greedy",
    "--out",
    out,
  ];
  const { code, stdout, stderr } = await runSoftcot([...args, "--json"]);
  assertEquals(code, 0, stderr);
  const reports = JSON.parse(stdout);
  assertEquals(reports.map(({ task }: { task: { name: string } }) => task.name), ["sums", "sums-long"]);
  assertEquals(JSON.parse(Deno.readTextFileSync(`${out}/report.json`)), reports);
  assertEquals(recordsOf(out, "sums-long-hard-greedy").length, 3);
  const shown = await runSoftcot(args);
  assertMatch(shown.stdout, /^sums v1, first 3 test questions \(limited\)/);
  assertMatch(shown.stdout, /^sums-long v1, first 3 test questions \(limited\)/m);
});

Deno.test("a question too long for the context is named before the first token of any task", async () => {
  // Questions of sums would fit.
  const args = [
    "eval",
    "sums",
    "sums-long",
    "--limit",
    "3",
    "--mode",
    "hard-greedy",
    "--max-thinking",
    "215",
  ];
  const { code, stdout, stderr } = await runSoftcot(args);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /after a prompt of 40 \(the longest of sums-long, question 3 \(sums-[\da-f-]+\)\): the model's/,
  );
  assert(!stderr.includes("rollouts  mode"), stderr);
});

Deno.test("what decides the number stands in the table: limits, the noise where there is some, the error of none right", () => {
  const mode = (name: Mode, value: number, passAt: number[]): ModeResult => ({
    ...{
      mode: name,
      samples: passAt.length > 1 ? 4 : 1,
      reward: 0,
      thinkingLength: 9,
      tokens: 90,
      seconds: 2,
    },
    ...{
      accuracy: { value, standardError: 0.1, questions: 1 },
      tokensPerSecond: 45,
      flops: 1e9,
      questions: [],
    },
    ...{ extracted: { value: 1, standardError: 0.1, questions: 1 }, entropy: 0.5, entropyByPosition: [] },
    ended: { "trigger": 0.25, "end-token": 0.1, "limit": 0.65 },
    passAt: passAt.map((k) => ({ k, value, standardError: 0.1, questions: 1 })),
  });
  const shown = (modes: ModeResult[], more: Partial<EvaluationReport> = {}) =>
    describeEvaluation({
      ...{ task: { name: "t", version: 2, promptHash: "", questionsHash: "" }, split: "test", questions: 1 },
      ...{ limited: true, samples: 4, seed: 3, gamma: 0.33, maxThinking: 512, answerTokens: 64, shots: 0 },
      ...{ chatTemplate: false, filters: {}, trainedOn: null, modes },
      model: { name: "m", hash: "0123456789abcdef", parameters: 5, weights: "f16", embeddingRms: 1 },
      device: { name: "a card", software: false, subgroupSize: 32, matmulFamily: "tile" },
      versions: { softcot: "0", deno: "2" },
      ...more,
    });
  const hard = shown([mode("hard-greedy", 0.5, [1])]).split("\n");
  assertEquals(hard.slice(0, 3), [
    "t v2, first test question (limited), at most 512 thinking and 64 answer tokens, seed 3",
    "model m (0123456789ab), f16 weights, on a card",
    "",
  ]);
  assertEquals(hard[3].split(/ {2,}/).slice(4, 7), ["by trigger", "at limit", "entropy"]);
  assertEquals(hard[5].split(/ {2,}/).slice(4, 7), ["0.250", "0.650", "0.5000"]);
  assertEquals(hard.length, 6);
  const soft = shown([mode("hard-greedy", 1, [1]), mode("soft-sample", 0.5, [1, 2, 4])], { limited: false });
  assertStringIncludes(
    soft,
    "t v2, 1 test question, 4 samples, at most 512 thinking and 64 answer tokens, gamma 0.33,",
  );
  assertMatch(soft, /^pass@2 +0\.500 ± 0\.100$/m);
  assertMatch(soft, /^pass@4 +0\.500 ± 0\.100$/m);
  assertStringIncludes(soft, "the ± is that of a share of (c + 1) / (n + 2)");
  assert(soft.split("\n").every((line) => line.length <= 120), soft);
});

Deno.test("examples come before each question; eval warns where the run was trained on the questions", async () => {
  const run = `${folder}/trained`;
  await Deno.mkdir(`${run}/checkpoints`, { recursive: true });
  const bytes = await byteModel(`${folder}/bytes`);
  await Deno.symlink(await Deno.realPath(bytes), `${run}/checkpoints/step-000001`);
  const data = `${root}tests/eval/fixtures/gsm8k/hub`;
  await Deno.writeTextFile(`${run}/config.toml`, `task = "gsm8k"\ndata = ${JSON.stringify(data)}\n`);
  const base = ["eval", "gsm8k", "--data", data, "--mode", "hard-greedy", "--max-thinking", "4", "--json"];
  const args = [...base, "--answer-tokens", "4", "-m", run];
  const train = await runSoftcot([...args, "--split", "train"]);
  assertEquals(train.code, 0, train.stderr);
  const report = JSON.parse(train.stdout);
  const { questions } = report;
  assertStringIncludes(
    train.stderr,
    `warning: ${questions} of these ${questions} questions of gsm8k are among those`,
  );
  assertEquals(report.trainedOn, { task: "gsm8k", data, questions });
  const test = await runSoftcot(args);
  assertEquals(JSON.parse(test.stdout).trainedOn.questions, 0);
  assert(!test.stderr.includes("warning"), test.stderr);

  const out = `${folder}/shots`;
  const shots = await runSoftcot([...args, "--shots", "2", "--out", out]);
  assertEquals(shots.code, 0, shots.stderr);
  const { task, shots: count } = JSON.parse(shots.stdout);
  assertEquals([count, task.promptHash === JSON.parse(test.stdout).task.promptHash], [2, false]);
  const { question, prompt_tokens } = recordsOf(out, "gsm8k-hard-greedy")[0];
  assert(prompt_tokens > 400 + new TextEncoder().encode(question).length + 200, `${prompt_tokens} tokens`);
  const many = await runSoftcot([...args, "--shots", "60"]);
  assertEquals(many.code, 1);
  assertMatch(
    many.stderr,
    /Cannot put 60 examples before each question of gsm8k: its data hold \d+ training questions/,
  );
});

Deno.test("eval check is a command of its own", async () => {
  const { code, stdout } = await runSoftcot(["eval", "check", "1/2", "0.5"]);
  assertEquals([code, stdout.split("\n")[0]], [0, "equal"]);
});
