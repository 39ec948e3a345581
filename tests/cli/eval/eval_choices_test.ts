import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ASCII_TOKENS, asciiTokenizer } from "../../eval/support/letters.ts";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { root } from "../../support/places.ts";
import { testFolder } from "../../support/folders.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { assertLinesFit } from "../../support/schemas.ts";
import { writeModel } from "../support/model_folder.ts";
import { runSoftcot } from "../support/run_softcot.ts";

const folder = await testFolder();
const model = `${folder}/model`;
const config = { ...SMALL, vocabSize: ASCII_TOKENS, usedVocabSize: ASCII_TOKENS, maxPosition: 512 };
await writeModel(model, (gpu) => randomModel(gpu, config), asciiTokenizer());

const evalTask = (task: string, ...more: string[]) =>
  runSoftcot(["eval", task, "--model", model, "--data", `${root}tests/eval/fixtures/${task}/hub`, ...more]);

Deno.test("eval of a choice task prints accuracies and NLL, by category and subject where there are any", async () => {
  const { code, stdout, stderr } = await evalTask("mmlu", "--limit", "3", "--shots", "1");
  assertEquals(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines[0], /^mmlu v1, first 3 test questions \(limited\), 1 shots?, model /);
  const measured = lines.filter((line) => / {2,}\d/.test(line)).map((line) => line.split(/ {2,}/));
  assertEquals(measured.map(([name, questions]) => [name, questions]), [
    ["all questions (micro)", "3"],
    ["mean of subjects (macro)", "3"],
    ["humanities", "1"],
    ["stem", "2"],
    ["anatomy", "2"],
    ["world religions", "1"],
  ]);
  const [, , acc, normed, nll] = measured[0];
  for (const cell of [acc, normed, nll]) assertMatch(cell, /^\d\.\d{3} ± \d\.\d{3}$/);
  assertEquals(acc, normed); // letters are of one length
  assertStringIncludes(stderr, "eval mmlu 3/3");
});

Deno.test("--json holds all that the table does, and each answer; --out each question's scores", async () => {
  const out = `${folder}/arc`;
  const { code, stdout, stderr } = await evalTask("arc-challenge", "--json", "--out", out);
  assertEquals(code, 0, stderr);
  const { tasks: [report] } = JSON.parse(stdout);
  assertEquals(report.task.name, "arc-challenge");
  assertMatch(report.task.promptHash, /^[0-9a-f]{64}$/);
  assertEquals([report.questions, report.limited, report.shots, report.truncated], [4, false, 0, 0]);
  assertEquals(report.answers.length, 4);
  assertEquals(report.subjects, undefined);
  assertLinesFit("choice", `${out}/arc-challenge.jsonl`);
  const rows = jsonLines(`${out}/arc-challenge.jsonl`);
  assertEquals(rows.map(({ id }) => id), report.answers.map(({ id }: { id: string }) => id));
  for (const row of rows) {
    assertEquals(row.pick, row.sums.indexOf(Math.max(...row.sums)));
    assertEquals(row.correct, row.pick === row.right);
    assert(Math.abs(row.nll + row.sums[row.right] / row.tokens[row.right]) < 1e-12);
  }
  const right = rows.filter(({ correct }) => correct).length;
  assertEquals(report.accuracy.value, right / 4);
  const nll = rows.reduce((sum, row) => sum + row.nll, 0) / 4;
  assert(Math.abs(report.nll.value - nll) < 1e-12);
});

Deno.test("flags of thinking are wrong usage with a choice task; so is more than its data hold", async () => {
  const flags = ["--mode hard-greedy", "--samples 2", "--max-thinking 8", "--chat-template", "--top-k 3"];
  for (const flag of [...flags, "--system French", "--top-p 0.5", "--min-p 0.5"]) {
    const { code, stdout, stderr } = await evalTask("hellaswag", ...flag.split(" "));
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `error: Option "${flag.split(" ")[0]}" does not go with hellaswag`);
  }
  const config = `${folder}/thinking.toml`;
  await Deno.writeTextFile(config, "chat-template = true\nlimit = 1\n");
  const file = await evalTask("hellaswag", "--config", config);
  assertEquals([file.code, file.stdout], [2, ""]);
  assertStringIncludes(file.stderr, "The value chat-template of the config file does not go with hellaswag");
  const shots = await evalTask("hellaswag", "--shots", "5");
  assertEquals(shots.code, 1);
  assertStringIncludes(shots.stderr, "Cannot put 5 examples before each question of hellaswag");
});
