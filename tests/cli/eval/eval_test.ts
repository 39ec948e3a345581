import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { takeQuestions } from "../../../eval/questions/take_questions.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { assertLinesFit } from "../../support/schemas.ts";
import { modelFolder, thinker, THOUGHT } from "../support/model_folder.ts";
import { fails, finish, runSoftcot } from "../support/run_softcot.ts";

const folder = await modelFolder(thinker);
const model = `${folder}/model`;

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
    /^sums v1, first 6 test questions \(limited\), 2 samples, at most 52 thinking and 5 answer tokens, gamma 0\.5, seed 0$/,
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
  assertEquals(told[3], "eval sums  0/54 rollouts  now reading prompts  mode hard-greedy");
  assertMatch(
    told.at(-2)!,
    /^eval sums 54\/54 rollouts +mode fuzzy-sample +right 0\.\d{3} of 12 +tokens 648 +.* tokens\/s +\d+s$/,
  );
  const quiet = await runSoftcot(["eval", "-m", model, "--limit", "1", "--mode", "hard-greedy", "--quiet"]);
  assertEquals(quiet.stderr, "");
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
  const { tasks: [report] } = JSON.parse(stdout);
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
  assertEquals(JSON.parse(await Deno.readTextFile(`${out}/report.json`)), { tasks: [report] });
  assertEquals(report.modes.map(({ mode }: { mode: string }) => mode), ["soft-sample", "hard-greedy"]);

  const asked = takeQuestions(sums, "test", 5, 4);
  const [soft, hard] = ["soft-sample", "hard-greedy"].map((mode) => {
    assertLinesFit("rollout", `${out}/sums-${mode}.jsonl`);
    return jsonLines(`${out}/sums-${mode}.jsonl`);
  });
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
  const gammaOf = async (...more: string[]) =>
    JSON.parse((await runSoftcot([...args, ...more])).stdout).tasks[0].gamma;
  assertEquals([await gammaOf(), await gammaOf("--gamma", "0.5")], [0.77, 0.5]);
});

Deno.test("several tasks go one after the other into one folder", async () => {
  const out = `${folder}/two`;
  const args = [
    "eval",
    "sums",
    "sums-slips",
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
  const report = JSON.parse(stdout);
  assertEquals(report.tasks.map(({ task }: { task: { name: string } }) => task.name), ["sums", "sums-slips"]);
  assertEquals(JSON.parse(Deno.readTextFileSync(`${out}/report.json`)), report);
  assertEquals(jsonLines(`${out}/sums-slips-hard-greedy.jsonl`).length, 3);
  const shown = await runSoftcot(args);
  assertMatch(shown.stdout, /^sums v1, first 3 test questions \(limited\)/);
  assertMatch(shown.stdout, /^sums-slips v1, first 3 test questions \(limited\)/m);
});

Deno.test("noise on the hidden rows, and neighbours: measured, and told in the report", async () => {
  const args = [
    "eval",
    "-m",
    model,
    "--limit",
    "3",
    "--samples",
    "2",
    "--noise-on",
    "hidden",
    "--rho",
    "0.5",
  ];
  const modes = ["soft-greedy", "soft-sample", "neighbours-sample"];
  const { code, stdout, stderr } = await runSoftcot([...args, "--mode", modes.join(), "--json"]);
  assertEquals(code, 0, stderr);
  const { tasks: [report] } = JSON.parse(stdout);
  assertEquals(report.modes.map(({ mode }: { mode: string }) => mode), modes);
  assertEquals(report.mixing, { noiseOn: "hidden", width: 3, weighting: "probability", rho: 0.5 });
});

Deno.test("--tau is the temperature of the thinking; --show shows the first texts of each mode", async () => {
  const { code, stdout, stderr } = await runSoftcot([
    ...["eval", "-m", model, "--limit", "3", "--samples", "2", "--tau", "0.8", "--show", "3"],
    ...["--mode", "hard-greedy,soft-sample"],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "gamma 0.5, tau 0.8, seed 0");
  const asked = takeQuestions(sums, "test", 0, 3);
  const texts = stdout.split("\n\n").filter((part) => /^\w+-\w+, question/.test(part));
  assertEquals(texts.map((text) => text.split(":")[0]), [
    ...["hard-greedy, question 1", "hard-greedy, question 2", "hard-greedy, question 3"],
    ...["soft-sample, question 1", "soft-sample, question 1, sample 2", "soft-sample, question 2"],
  ]);
  const { question, gold } = asked[1];
  const verdict = gold === "9" ? "right" : `wrong, right is ${gold}`;
  assertEquals(
    texts[1],
    `hard-greedy, question 2: ${verdict}\n  ${question}\n  ${THOUGHT.trim()} \\boxed{9}`,
  );
  await fails(
    ["eval", "-m", model, "--tau", "2", "--mode", "hard-greedy"],
    2,
    "hard-greedy would take no notice",
  );
});

Deno.test("eval names what is wrong: usage with status 2, files and models with 1", async () => {
  const refused = (args: string[], status: number, message: string) =>
    fails(["eval", ...args], status, message);
  await refused(["--mode", "hard-gredy"], 2, '"hard-greedy"');
  await refused(["--samples", "0"], 2, 'Option "--samples" must be an integer of at least 1');
  await refused(["--samples", "5000"], 2, "at most 4096");
  await refused(["--limits", "3"], 2, "hint: softcot eval --help");
  await refused(["sumz"], 1, "one of sums, sums-slips, owners, gsm8k");
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
  await refused(
    ["-m", model, "--top-k", "3", "--mode", "soft-sample"],
    2,
    "one of the modes hard-sample, soft-thinking, mixture-of-inputs is needed",
  );
  await refused(
    ["-m", model, "--rho", "0.2", "--mode", "multiplex-sample"],
    2,
    "--rho is of neighbours thinking",
  );
  await refused(["-m", model, "--noise-on", "hidden", "--mode", "hard-sample"], 2, "of soft, fuzzy thinking");
  await refused(["-m", model, "--system", "Be brief."], 2, "--system goes with --chat-template");
  await refused(["-m", model, "--max-thinking", "400"], 1, "the model's context holds 256");
  await refused(["--config", `${folder}/none.toml`], 1, "there is no such file");
});

Deno.test("a question too long for the context is named before the first token of any task", async () => {
  // Questions of sums would fit.
  const args = [
    "eval",
    "sums",
    "sums-slips",
    "--limit",
    "7",
    "--mode",
    "hard-greedy",
    "--max-thinking",
    "210",
  ];
  const stderr = await fails(args, 1);
  assertMatch(
    stderr,
    /after a prompt of 41 \(the longest of sums-slips, question 7 \(sums-[\da-f-]+\)\): the model's/,
  );
  assert(!stderr.includes("rollouts  mode"), stderr);
});
