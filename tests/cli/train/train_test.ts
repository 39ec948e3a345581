/** `softcot train` as a process: its folder, its output, and what it says to mistakes. */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { parse } from "smol-toml";
import { bestCheckpoint } from "../../../model/files/best_checkpoint.ts";
import { trainSettings } from "../../../cli/train/train_settings.ts";
import { dashed } from "../../../cli/settings/dashed.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { assertLinesFit, misfitsOf } from "../../support/schemas.ts";
import { fails, softcotCommand, succeed, told } from "../support/run_softcot.ts";
import { checkpointsOf, metricsOf } from "../../rl/support/run_files.ts";
import { smallModel } from "../support/small_model.ts";
import { trainArgs, type TrainFlags } from "../support/train_args.ts";

const { folder, model } = await smallModel();
const train = (flags: TrainFlags) => trainArgs({ model, ...flags });

Deno.test("a run's folder holds all settings, metrics, samples and checkpoints; the output says so", async () => {
  const out = `${folder}/whole`;
  const { stdout, stderr } = await succeed(train({ "test-questions": 3, out }));
  assertMatch(stdout, new RegExp(`^6 updates in \\d+ s; the run is in ${out}\n`));
  assertMatch(
    stdout,
    new RegExp(`^best validation: \\d\\.\\d{3} at step [46] \\(${out}/checkpoints/step-00000[46]\\)$`, "m"),
  );
  const modes = stdout.split("\n").filter((line) => /^(hard|soft|fuzzy)-(greedy|sample) /.test(line));
  assertEquals(modes.length, 6);
  for (const line of modes) assertMatch(line, /( +-?\d\.\d{3} ± \d\.\d{3}){2}$/);
  assertStringIncludes(stderr, `run      ${out}\n`);
  assertMatch(stderr, /^prompt {3}\d+ tokens: User:\| \w+\| has\|.*\| have\?\| Assistant:$/m);
  assertMatch(stderr, /^train 6\/6 .*reward \d+\.\d/m);
  // deno-lint-ignore no-control-regex
  assert(!/\x1b/.test(stdout + stderr), "no escape sequences in a pipe");

  assertEquals(metricsOf(out).map(({ step }) => step), [1, 2, 3, 4, 5, 6]);
  for (const line of metricsOf(out)) {
    assertEquals([line.mismatch_thinking_max, line.mismatch_near_tie_max, line.mismatch_answer_max], [
      0,
      0,
      0,
    ]);
    assert((line.gradient_norm as number) > 0 || line.equal_groups === 1);
    assertEquals("validation_accuracy" in line, line.step === 4 || line.step === 6);
  }
  const samples = jsonLines(`${out}/samples.jsonl`);
  const places = samples.map(({ step, group, sample }) => `${step} ${group} ${sample}`);
  const [groups, each] = [[0, 1], Array.from({ length: samples[0].group_size }, (_, i) => i)];
  assertEquals(
    places,
    [1, 2, 4, 6].flatMap((step) => groups.flatMap((g) => each.map((i) => `${step} ${g} ${i}`))),
  );
  for (const { question, gold, thinking, forced, mixtures, thinking_tokens } of samples) {
    assert([question, gold, thinking].every((text) => typeof text === "string" && text.length > 0));
    assertStringIncludes(forced, "\\boxed{");
    assertEquals(mixtures.length, thinking_tokens.length);
  }
  assertLinesFit("metrics", `${out}/metrics.jsonl`);
  assertLinesFit("sample", `${out}/samples.jsonl`);
  assertEquals(checkpointsOf(out), ["step-000004", "step-000006"]);
});

Deno.test("config.toml names every value, and --config reproduces the run with it", async () => {
  const [out, again] = [`${folder}/first`, `${folder}/again`];
  await succeed(train({ steps: 4, seed: 3, "clip-step": 2, out }));
  const saved = parse(Deno.readTextFileSync(`${out}/config.toml`));
  const left = Object.keys(trainSettings).map(dashed).filter((name) => !(name in saved));
  assertEquals(
    left,
    ["adapter", "data", "system", "recipe", "tau", "width", "weighting", "log", "reward", "weights"],
    "not saved: what nobody chose and has no fixed value",
  );
  assertEquals([saved.seed, saved["clip-step"], saved.out], [3, 2, out]);
  await succeed(["train", "--config", `${out}/config.toml`, "--out", again]);
  assertEquals(metricsOf(again), metricsOf(out));
  const other = `${folder}/other`;
  await succeed(["train", "--config", `${out}/config.toml`, "--seed", "4", "--out", other]);
  assert(metricsOf(other)[0].reward !== metricsOf(out)[0].reward, "another seed, other rollouts");
});

Deno.test("rewards from files count by their weight, and completions are shown as often as asked", async () => {
  const reward = `${folder}/brief.ts`;
  Deno.writeTextFileSync(reward, "export default ({ thinkingTokens }) => -thinkingTokens;");
  const out = `${folder}/rewarded`;
  const more = { "diagnose-every": 4, refill: 1, thinking: "hard" };
  const { stderr } = await succeed(train({ "print-every": 3, reward: `task=0.5,${reward}=2`, out, ...more }));
  assertLinesFit("metrics", `${out}/metrics.jsonl`);
  assertLinesFit("sample", `${out}/samples.jsonl`);
  for (const line of metricsOf(out)) {
    assert((line.rewards_sd as Record<string, number>)[reward] >= 0);
    const { task, [reward]: brief } = line.rewards as Record<string, number>;
    assertAlmostEquals(brief, -(line.thinking_tokens as number), 1e-9);
    assertAlmostEquals(line.reward as number, 0.5 * task + 2 * brief, 1e-9);
    assert((line.triggered as number) + (line.cut as number) <= 1 + 1e-9, "the others met an end token");
    assert((line.extracted as number) <= 1 - (line.unclosed as number) + 1e-9);
  }
  assertEquals([...stderr.matchAll(/^step (\d): .*\?$/gm)].map(([, step]) => step), ["3", "6"]);
  assertMatch(stderr, /boxed\{.*\n {2}.*: reward -?\d/);
});

Deno.test("--profile tells time by phase and kernel; a run shorter than its validations has none", async () => {
  const args = train({ steps: 3, out: `${folder}/profile`, profile: true, json: true, quiet: true });
  const { profile, best } = JSON.parse((await succeed(args)).stdout);
  assertEquals(best, null);
  const { version, device, updates, ...kept } = JSON.parse(
    Deno.readTextFileSync(`${folder}/profile/profile.json`),
  );
  assertEquals(misfitsOf("profile", { version, device, updates, ...kept }), "");
  assertEquals([kept, updates], [profile, { from: 1, to: 3 }]);
  assertEquals(profile.phases.map(({ phase }: { phase: string }) => phase).sort(), [
    "rollouts",
    "samples",
    "update",
  ]);
  assert(profile.idle >= 0 && profile.idle < 1 && profile.seconds > 0);
  const labels = profile.kernels.map(({ label }: { label: string }) => label);
  assert(
    ["adamw", "attention_backward"].every((name) => labels.some((label: string) => label.startsWith(name))),
  );
});

Deno.test("--json prints the result alone, --quiet says nothing beside it", async () => {
  const out = `${folder}/json`;
  const args = train({ steps: 4, thinking: "hard", "test-questions": 2, out, json: true, quiet: true });
  const { stdout, stderr } = await succeed(args);
  assertEquals(stderr, "");
  const { run, steps, best, seconds, tests: { before, after } } = JSON.parse(stdout);
  assertEquals([run, steps, best.step], [out, 4, 4]);
  assert(seconds > 0);
  assertEquals([before.length, after.length, before[0].mode], [6, 6, "hard-greedy"]);
  const text = await succeed(train({ steps: 1, thinking: "hard", out: `${folder}/quiet`, quiet: true }));
  assertEquals(text.stderr, "");
  assertMatch(text.stdout, /^1 update in \d+ s; the run is in /);
});

Deno.test("without --out a run gets a name of its own in runs/, of its task and thinking", async () => {
  // The working folder decides where runs/ is.
  const cwd = `${folder}/cwd`;
  await Deno.mkdir(cwd);
  const flags = train({ steps: 1, thinking: "fuzzy" });
  for (const name of ["sums-fuzzy", "sums-fuzzy-2"]) {
    const command = softcotCommand(flags, { cwd });
    const { code, stdout, stderr } = told(await command.output());
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `the run is in runs/${name}\n`);
    assertEquals(metricsOf(`${cwd}/runs/${name}`).length, 1);
  }
});

Deno.test("a run's folder is a model: its best checkpoint answers questions", async () => {
  const out = `${folder}/model`;
  await succeed(train({ steps: 4, out }));
  const { stdout } = await succeed([
    "eval",
    "--model",
    out,
    "--mode",
    "hard-greedy",
    "--limit",
    "2",
    "--json",
  ]);
  const bytes = Deno.readFileSync(`${bestCheckpoint(out)}/model.safetensors`);
  assertEquals(JSON.parse(stdout).tasks[0].model.hash, createHash("sha256").update(bytes).digest("hex"));
  await succeed(train({ model: out, steps: 1, out: `${folder}/further` }));
});

Deno.test("an existing run is refused with the two ways on, and nothing of it changes", async () => {
  const out = `${folder}/existing`;
  await succeed(train({ steps: 2, out }));
  const before = Deno.readTextFileSync(`${out}/metrics.jsonl`);
  const hint = `hint: go on with it by --resume --out ${out}, or name another folder with --out`;
  await fails(
    train({ steps: 2, out }),
    1,
    `error: Cannot start a run in ${out}: it holds one already`,
    hint,
  );
  assertEquals(Deno.readTextFileSync(`${out}/metrics.jsonl`), before);
});

Deno.test("a folder that cannot be written to is told before any work is done", async () => {
  Deno.writeTextFileSync(`${folder}/file`, "");
  const unwritable = `${folder}/file/run`;
  const stderr = await fails(
    train({ steps: 2, out: unwritable }),
    1,
    `error: Cannot write to ${unwritable}: `,
  );
  assert(!stderr.includes("train 1/"));
});

Deno.test("wrong flags end with 2, wrong values of files and names with 1, each with a hint", async () => {
  const out = `${folder}/none`;
  const end = ["--out", out];
  await fails(["train", "--thinkin", "soft", ...end], 2, "Did you mean");
  await fails(["train", "--thinking", "sotf", ...end], 2, '"soft"');
  await fails(["train", "--group", "1", ...end], 2, "group");
  await fails(["train", "--steps", "0", ...end], 2, "steps");
  await fails(["train", "--lr", "fast", ...end], 2, "lr");
  const missing = `${folder}/nothing`;
  await fails(["train", "--model", missing, ...end], 1, `error: Cannot find the model ${missing}`, "hint: ");
  await fails(train({ task: "summs", out }), 1, 'Cannot find the task "summs"', "sums");
  await fails(train({ gamma: 0, out }), 1, "without noise there is nothing to learn");
  await fails(
    ["train", "--rho", "0.2", ...end],
    2,
    "--rho is of neighbours thinking: soft would take no notice",
  );
  await fails(["train", "--thinking", "neighbours", "--rho", "1.5", ...end], 2, "rho");
  await fails(["train", "--noise-on", "logit", ...end], 2, '"logits"');
  await fails(
    ["train", "--thinking", "hard", "--noise-on", "logits", ...end],
    2,
    "of soft, fuzzy thinking: hard",
  );
  await fails(["train", "--width", "4", ...end], 2, "soft or fuzzy (--noise-on top-logits) thinking: soft");
  await fails(
    train({ "noise-on": "top-logits", width: 1, out }),
    1,
    "Cannot train soft thinking with --noise-on top-logits and --width 1",
  );
  await fails(
    train({ "noise-on": "hidden", antithetic: true, out }),
    1,
    "Cannot train soft thinking with --antithetic and --noise-on hidden",
  );
  await fails(
    train({ thinking: "dirichlet", staleness: 1, out }),
    1,
    "Cannot train dirichlet thinking with --staleness 1",
  );
  await fails(
    train({ thinking: "neighbours", "rollout-weights": "f16", out }),
    1,
    "Cannot train neighbours thinking with --rollout-weights f16",
  );
  Deno.writeTextFileSync(`${folder}/bad.toml`, "grup = 4\n");
  const config = ["train", "--config", `${folder}/bad.toml`, ...end];
  await fails(config, 1, "there is no setting grup", "hint: did you mean group?");
  await fails(train({ "max-thinking": 500, out }), 1, "the model's context holds 256");
  assert(
    ![...Deno.readDirSync(folder)].some(({ name }) => name === "none"),
    "a folder was made for a run that cannot be",
  );
});

Deno.test("a reward that is not a finite number ends the run with the file's name before the first update", async () => {
  for (const [what, value] of [["NaN", "0 / 0"], ["-Infinity", "-1 / 0"]]) {
    const [reward, out] = [`${folder}/${what}.ts`, `${folder}/run-${what}`];
    Deno.writeTextFileSync(reward, `export default () => ${value};`);
    await fails(
      train({ reward, out }),
      1,
      `error: Cannot reward a rollout by ${reward}: it gave ${what}, a finite number is needed`,
    );
    assertEquals(Deno.readTextFileSync(`${out}/metrics.jsonl`), "");
  }
});
