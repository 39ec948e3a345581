import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { takeQuestions } from "../../eval/dataset.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { modelFolder, thinker, THOUGHT } from "./model_folder.ts";
import { configured, root, runSoftcot } from "./run_softcot.ts";

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
    /^sums v1, first 6 test questions \(limited\), 2 samples, gamma 0\.1, seed 0, model /,
  );
  const modes = lines.filter((line) => /^(hard|soft|fuzzy)-/.test(line)).map((line) => line.split(/ {2,}/));
  assertEquals(modes.map(([name]) => name), [
    "hard-greedy",
    "hard-sample",
    "soft-greedy",
    "soft-sample",
    "fuzzy-greedy",
    "fuzzy-sample",
  ]);
  for (const [name, right, pass2, extracted, thinking, byTrigger] of modes) {
    assertMatch(right, /^0\.\d{3} ± 0\.\d{3}$/);
    assertEquals(pass2 === "-", name.endsWith("greedy"));
    assertEquals([extracted, thinking, byTrigger], ["1.000", "10.0", "1.000"]);
  }
  assertStringIncludes(stdout, "Entropy of the next token (nats), by thinking position");
  // deno-lint-ignore no-control-regex
  assert(!/\x1b/.test(stdout + stderr), "no escape sequences in a pipe");
  assertStringIncludes(stderr, "eval 54/54");
  const quiet = await runSoftcot(["eval", "-m", model, "--limit", "1", "--mode", "hard-greedy", "--quiet"]);
  assertEquals(quiet.stderr.replace(/^error: XDG_RUNTIME_DIR.*\n/gm, ""), "");
});

Deno.test("eval --json tells all that is needed to do it again; --out keeps every rollout", async () => {
  const out = `${folder}/rollouts.jsonl`;
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
  assertEquals(report.modes.map(({ mode }: { mode: string }) => mode), ["soft-sample", "hard-greedy"]);

  const asked = takeQuestions(sums, "test", 5, 4);
  const records = (await Deno.readTextFile(out)).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(records.length, 4 * 3 + 4);
  records.slice(0, 12).forEach((record, i) => {
    assertEquals([record.mode, record.id, record.sample], [
      "soft-sample",
      asked[Math.floor(i / 3)].id,
      i % 3,
    ]);
  });
  for (const record of records) {
    assertEquals([record.thinking, record.answer, record.boxed], [THOUGHT, "9}", "9"]);
    assertEquals(record.correct, record.gold === "9");
    assertEquals(record.thinking_log_probabilities.length, record.thinking_tokens.length);
  }
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
  await refused(["--model", `${folder}/none`], 1, "there is no such folder");
  await refused(["--model", folder], 1, "looked for config.json there");
  await refused(["-m", model, "--out", `${folder}/no/such/folder.jsonl`], 1, "Cannot write");
  await refused(["-m", model, "--max-thinking", "400"], 1, "the model's context holds 256");
  await refused(["--config", `${folder}/none.toml`], 1, "there is no such file");
});

Deno.test("Ctrl-C stops between batches with status 130; what was written stays", async () => {
  const out = `${folder}/stopped.jsonl`;
  const args = [
    "eval",
    "-m",
    model,
    "--mode",
    "hard-sample",
    "--samples",
    "4000",
    "--batch-rows",
    "5",
    "--out",
    out,
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", ...configured(), "cli/main.ts", ...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    if (!stderr.includes("eval ") && part.includes("eval ")) child.kill("SIGINT");
    stderr += part;
  }
  assertEquals([(await child.status).code, await new Response(child.stdout).text()], [130, ""]);
  assertStringIncludes(stderr, `Stopped; the rollouts so far are in ${out}`);
  const lines = (await Deno.readTextFile(out)).trimEnd().split("\n");
  assert(lines.length % 5 === 0 && lines.length < 256 * 4000, `${lines.length} lines`);
  assertEquals(JSON.parse(lines.at(-1)!).sample, (lines.length - 1) % 4000);
});

Deno.test("eval check is a command of its own", async () => {
  const { code, stdout } = await runSoftcot(["eval", "check", "1/2", "0.5"]);
  assertEquals([code, stdout.split("\n")[0]], [0, "equal"]);
});
