import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { root } from "../../support/places.ts";
import { byteModel } from "../support/model_folder.ts";
import { fails, runSoftcot } from "../support/run_softcot.ts";

const folder = await testFolder();

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
  const { tasks: [report] } = JSON.parse(train.stdout);
  const { questions } = report;
  assertStringIncludes(
    train.stderr,
    `warning: ${questions} of these ${questions} questions of gsm8k are among those`,
  );
  assertEquals(report.trainedOn, { task: "gsm8k", data, questions });
  const test = await runSoftcot(args);
  const { tasks: [tested] } = JSON.parse(test.stdout);
  assertEquals(tested.trainedOn.questions, 0);
  assert(!test.stderr.includes("warning"), test.stderr);

  const out = `${folder}/shots`;
  const shots = await runSoftcot([...args, "--shots", "2", "--out", out]);
  assertEquals(shots.code, 0, shots.stderr);
  const { task, shots: count } = JSON.parse(shots.stdout).tasks[0];
  assertEquals([count, task.promptHash === tested.task.promptHash], [2, false]);
  const { question, prompt_tokens } = jsonLines(`${out}/gsm8k-hard-greedy.jsonl`)[0];
  assert(prompt_tokens > 400 + new TextEncoder().encode(question).length + 200, `${prompt_tokens} tokens`);
  assertMatch(
    await fails([...args, "--shots", "60"], 1),
    /Cannot put 60 examples before each question of gsm8k: its data hold \d+ training questions/,
  );
});
