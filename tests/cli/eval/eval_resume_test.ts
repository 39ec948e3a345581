/** Evaluations into a folder: stopped, gone on with, and refused with other settings. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { assertLinesFit } from "../../support/schemas.ts";
import { timeless } from "../../support/timeless.ts";
import { modelFolder, thinker } from "../support/model_folder.ts";
import { linesIn } from "../../rl/support/run_files.ts";
import { fails, runSoftcot } from "../support/run_softcot.ts";
import { stopWhen } from "../support/stop_when.ts";

const folder = await modelFolder(thinker);
const model = `${folder}/model`;

/** An evaluation of some seconds: sampled, few at once. Other flags may stand in the place of its own. */
const long = (out: string, flags: Record<string, string> = {}) => {
  const all = {
    ...{ "model": `${folder}/restless/model`, "limit": "12", "samples": "8", "batch-rows": "3", "seed": "3" },
    ...{ "mode": "hard-greedy,hard-sample,soft-sample", "keep-mixtures": "5", out },
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
  const linesOf = (name: string) => linesIn(`${out}/${name}.jsonl`);
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
    assertEquals(
      timeless(jsonLines(`${out}/${name}.jsonl`)),
      timeless(jsonLines(`${whole}/${name}.jsonl`)),
      name,
    );
  }

  // What is complete is told again, without a rollout.
  assertMatch(resumed.stderr, /^kept {5}hard-greedy: 12 of 12 rollouts from before$/m);
  assertMatch(resumed.stderr, /^kept {5}soft-sample: [3-9]\d of 96 rollouts from before$/m);
  assert(!plain.stderr.includes("from before"), plain.stderr);
  const stamp = Deno.statSync(`${out}/${names[2]}.jsonl`).mtime;
  const again = await runSoftcot([...long(out), "--json"]);
  assertEquals(timeless(JSON.parse(again.stdout)), timeless(JSON.parse(plain.stdout)));
  assertEquals(Deno.statSync(`${out}/${names[2]}.jsonl`).mtime, stamp);
  for (const name of names) assertLinesFit("rollout", `${out}/${name}.jsonl`);
});

Deno.test("results of other settings are not gone on with", async () => {
  const hint = "hint: give the settings it was made with, of which questions";
  const refused = (flags: Record<string, string>, message: string) =>
    fails(long(`${folder}/whole`, flags), 1, message, hint);
  await refused({ seed: "4" }, "sums seed 3, not 4");
  await refused({ "max-thinking": "9" }, "its results were made with sums maxThinking 52, not 9");
  await refused(
    { mode: "hard-greedy" },
    'modes ["hard-greedy","hard-sample","soft-sample"], not ["hard-greedy"]',
  );
  await refused({ model }, "its results were made with model");
});

Deno.test("more questions, samples, modes and tasks are additions to what is kept", async () => {
  const flags = { model, limit: "2", samples: "2", mode: "hard-sample" };
  const [out, fresh] = [`${folder}/grown`, `${folder}/fresh`];
  const run = async (out: string, flags: Record<string, string>, ...tasks: string[]) => {
    const [verb, ...rest] = long(out, flags);
    const { code, stdout, stderr } = await runSoftcot([verb, ...tasks, ...rest, "--json"]);
    assertEquals(code, 0, stderr);
    return timeless(JSON.parse(stdout));
  };
  await run(out, flags);
  const first = jsonLines(`${out}/sums-hard-sample.jsonl`);
  const more = { ...flags, limit: "4", samples: "3", mode: "soft-greedy,hard-sample" };
  const grown = await run(out, more, "sums-slips");
  assertEquals(grown, await run(fresh, more, "sums-slips"));
  for (const name of ["sums-hard-sample", "sums-soft-greedy", "sums-slips-hard-sample"]) {
    assertEquals(
      timeless(jsonLines(`${out}/${name}.jsonl`)),
      timeless(jsonLines(`${fresh}/${name}.jsonl`)),
      name,
    );
  }
  // Those of before are kept with the time that they took, and were not made again.
  const kept = jsonLines(`${out}/sums-hard-sample.jsonl`).filter(({ index, sample }) =>
    index < 2 && sample < 2
  );
  assertEquals(kept.map(({ time }) => time), first.map(({ time }) => time));
  await fails(long(out, flags), 1, "sums-slips version", "sums questions 4, not 2");
});
