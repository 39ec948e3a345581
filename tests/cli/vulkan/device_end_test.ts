/** A device that is lost, and one that has no memory left, as processes: a driver of these tests plays a card that fails. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { linesIn } from "../../rl/support/run_files.ts";
import { playCards } from "../../support/card/play_cards.ts";
import { until } from "../../support/until.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";
import { startWorker } from "../../workers/support/worker_process.ts";
import { type Finished, runSoftcot } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { resumeArgs, trainArgs } from "../support/train_args.ts";

const { folder, model } = await smallModel();
const card = await playCards(folder);
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: card === undefined });

/** Runs the program on the card. */
const onCard = (args: string[], more: Record<string, string> = {}) =>
  runSoftcot(args, { VK_DRIVER_FILES: card!.file, VK_ICD_FILENAMES: card!.file, ...more });

/** Runs the program on the card, which is lost as soon as it is `time`. */
async function loseWhen(args: string[], time: () => boolean): Promise<Finished> {
  const lost = `${folder}/${crypto.randomUUID()}`;
  const running = onCard(args, { CARD_LOST: lost });
  let ended = false;
  const done = running.finally(() => ended = true);
  while (!ended && !time()) await new Promise((resolve) => setTimeout(resolve, 4));
  await Deno.writeTextFile(lost, "");
  return await done;
}

test("a training whose device is lost says so, what is saved and how to go on, and goes on so", async () => {
  const out = `${folder}/run`;
  const args = [...trainArgs({ model, out, steps: 40, "save-every": 2, "validate-every": 0 }), "--gpu", "0"];
  const { code, stderr } = await loseWhen(args, () => linesIn(`${out}/metrics.jsonl`) >= 5);
  assertEquals(code, 1, stderr);
  const told =
    /error: Cannot go on: the device NVIDIA H200 at 0000:65:00\.0 was lost \(.+\); step (\d+) is saved in (\S+)\nhint: go on with: softcot (.+); if/
      .exec(stderr);
  assert(told, stderr);
  const [, step, checkpoint, goOn] = told;
  assert(Number(step) >= 4 && Deno.statSync(checkpoint).isDirectory);
  assertEquals(goOn, `train --resume --out ${out} --gpu 0`);
  assert(!/^ +at /m.test(stderr), "a stack trace");
  // The same run, now to its end within a time that a test has: few steps are left.
  const config = Deno.readTextFileSync(`${out}/config.toml`).replace(
    /^steps = 40$/m,
    `steps = ${Number(step) + 2}`,
  );
  Deno.writeTextFileSync(`${out}/config.toml`, config);
  const resumed = await onCard(resumeArgs(out));
  assertEquals(resumed.code, 0, resumed.stderr);
  assertStringIncludes(resumed.stderr, `from step ${step}`);
  const steps = Deno.readTextFileSync(`${out}/metrics.jsonl`).trim().split("\n").map((line) =>
    JSON.parse(line).step
  );
  assertEquals(steps, Array.from({ length: Number(step) + 2 }, (_, i) => i + 1));
});

test("a training whose device is lost before its first checkpoint says that nothing is saved", async () => {
  const out = `${folder}/early`;
  const args = trainArgs({ model, out, steps: 40, "save-every": 30, "validate-every": 0 });
  const { code, stderr } = await loseWhen(args, () => linesIn(`${out}/metrics.jsonl`) >= 1);
  assertEquals(code, 1, stderr);
  assertMatch(
    stderr,
    /was lost \(.+\); no checkpoint was saved yet \(--save-every 30\)\nhint: go on with: softcot train --resume/,
  );
});

test("a training on demonstrations whose device is lost says what is saved, and goes on by the line that it tells", async () => {
  const out = `${folder}/base of mine`;
  const args = ["sft", "--width", "16", "--layers", "1", "--heads", "2", "--mlp", "32"];
  const metrics = `${out}/unfinished/metrics.jsonl`;
  const started = [...args, "--batch", "2", "--steps", "60", "--save-every", "2", "--out", out, "--gpu", "0"];
  const { code, stderr } = await loseWhen(started, () => linesIn(metrics) >= 5);
  assertEquals(code, 1, stderr);
  const told =
    /error: Cannot go on: the device NVIDIA H200 at 0000:65:00\.0 was lost \(.+\); step (\d+) is saved in .+\nhint: go on with: softcot sft (.+); if/
      .exec(stderr);
  assert(told && Number(told[1]) >= 4, stderr);
  assertEquals(told[2], `--resume --out '${out}' --gpu 0`);
  const resumed = await onCard(["sft", "--resume", "--out", out, "--gpu", "0"]);
  assertEquals(resumed.code, 0, resumed.stderr);
  assert(Deno.statSync(`${out}/model.safetensors`).isFile);
  // Before the first checkpoint nothing is kept, and the same command works.
  const early = [
    ...args,
    "--batch",
    "2",
    "--steps",
    "60",
    "--save-every",
    "50",
    "--out",
    `${folder}/early base`,
  ];
  const lost = await loseWhen(early, () => linesIn(`${folder}/early base/unfinished/metrics.jsonl`) >= 1);
  assertMatch(lost.stderr, /; no checkpoint was saved yet \(--save-every 50\)\nhint: start it again; if/);
  early[early.indexOf("60")] = "1";
  assertEquals((await onCard(early)).code, 0);
  const large = [...args, "--batch", "4096", "--steps", "2", "--out", `${folder}/large base`];
  const full = await onCard(large, { CARD_ROOM: "100" });
  assertMatch(
    full.stderr,
    /^error: Cannot go on: the device NVIDIA H200 has no memory left .*; no checkpoint was/m,
  );
  assertMatch(
    full.stderr,
    /^hint: end what else uses the device and start it again; a new training takes less with/m,
  );
});

testWithNats("a worker whose device is lost says so, and its job is made elsewhere", async () => {
  if (card === undefined) return console.log("skipped: there is no card to play");
  await using nats = await startNats();
  const lost = `${folder}/${crypto.randomUUID()}`;
  const env = { VK_DRIVER_FILES: card.file, VK_ICD_FILENAMES: card.file, CARD_LOST: lost };
  await using worker = await startWorker(nats.url, "lost", { env });
  const out = `${folder}/by workers`;
  const trained = runSoftcot([
    ...trainArgs({ model, out, steps: 6, "validate-every": 0 }),
    "--workers",
    nats.url,
  ]);
  await until(() => worker.said().includes("made  "), "rollouts", 120);
  await Deno.writeTextFile(lost, "");
  const { code, stderr } = await trained;
  assertEquals(code, 0, stderr);
  const status = await worker.kill("SIGKILL");
  if (status.signal === "SIGKILL") {
    return console.log("skipped: the training ended before the worker met the loss");
  }
  assertMatch(worker.said(), /error: Cannot go on: the device was lost \(.+\)\nhint: start it again; /);
});

test("an evaluation and a generation whose device is lost say so, and that what has ended is kept", async () => {
  const out = `${folder}/results`;
  const args = ["eval", "sums", "--model", model, "--mode", "hard-sample", "--limit", "64", "--out", out];
  const kept = () => linesIn(`${out}/sums-hard-sample.jsonl`) >= 1;
  const evaluated = await loseWhen([...args, "--samples", "64", "--batch-rows", "64"], kept);
  assertEquals(evaluated.code, 1, evaluated.stderr);
  const told =
    `was lost (device was lost)\nhint: what has ended is kept in ${out}: the same command goes on; if it happens`;
  assertStringIncludes(evaluated.stderr, told);
  const generated = await onCard(["generate", "Ann has 3 cups.", "--model", model], { CARD_LOST: folder });
  assertEquals(generated.code, 1);
  assertStringIncludes(
    generated.stderr,
    "error: Cannot open the GPU NVIDIA H200: it was lost (device was lost)",
  );
});

test("without memory a training and an evaluation say what they hold and what would fit", async () => {
  const big = { "max-thinking": 60, questions: 4, group: 32, "save-every": 1, "validate-every": 0 };
  const out = `${folder}/large`;
  const trained = await onCard(trainArgs({ ...big, model: "builtin", out, steps: 2 }), { CARD_ROOM: "100" });
  assertEquals(trained.code, 1, trained.stderr);
  assertMatch(
    trained.stderr,
    /^error: Cannot go on: the device NVIDIA H200 has no memory left for [\d.]+ MiB beside the [\d.]+ MiB that are held \(.+: .+\); no/m,
  );
  assertMatch(
    trained.stderr,
    /^hint: end what else uses the device and go on with: softcot train --resume --out \S+; or begin anew: (--recompute|even) /m,
  );
  const args = [
    "eval",
    "sums",
    "--mode",
    "soft-sample",
    "--limit",
    "64",
    "--samples",
    "64",
    "--batch-rows",
    "4096",
  ];
  const evaluated = await onCard(args, { CARD_ROOM: "100" });
  assertEquals(evaluated.code, 1, evaluated.stderr);
  assertMatch(
    evaluated.stderr,
    /^error: Cannot go on: the device NVIDIA H200 has no memory left for [\d.]+ MiB beside the [\d.]+ [KM]iB that are held \(/m,
  );
  assertMatch(
    evaluated.stderr,
    /^hint: end what else uses the device, or ask for less: (--batch-rows \d+|--weights f16 --batch-rows \d+) needs about /m,
  );
  const unopened = await onCard(["model", "info"], { CARD_ROOM: "1" });
  assertEquals(unopened.code, 1);
  assertStringIncludes(
    unopened.stderr,
    "error: Cannot open the GPU NVIDIA H200: it has no memory left, some is needed\n",
  );
});
