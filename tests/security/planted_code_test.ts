/** What a stranger's folder names as a task or as a reward is never run: own code comes from the command line alone. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ownTaskOf, runValues } from "../../cli/defaults/run_values.ts";
import { isThere } from "../../model/files/on_disk.ts";
import { fails, runSoftcot } from "../cli/support/run_softcot.ts";
import { smallModel } from "../cli/support/small_model.ts";
import { resumeArgs, trainArgs } from "../cli/support/train_args.ts";
import { inFolder } from "../support/folders.ts";

const { folder, model } = await smallModel();
const mark = `${folder}/mark`;
const SCRIPT = `Deno.writeTextFileSync(${JSON.stringify(mark)}, "ran");
export default { questions: { test: [{ question: "2 + 3?", gold: "5" }] } };`;
const ENDINGS = ["js", "mjs", "cjs", "ts", "mts"];

/** Lays scripts and a config.toml that names one into a folder: a task, and a reward. */
function plant(at: string, ending = "js"): void {
  for (const one of ENDINGS) Deno.writeTextFileSync(`${at}/x.${one}`, SCRIPT);
  const own = `${at}/x.${ending}`;
  const lines = [`task = ${JSON.stringify(own)}`, `reward = [${JSON.stringify(own)}]`, "gamma = 0.25"];
  Deno.writeTextFileSync(`${at}/config.toml`, lines.join("\n"));
}

/** A model folder that lies as a download may lay it, with scripts in it and in the two folders above it. */
function plantedModel(name: string, ending = "js"): string {
  const top = `${folder}/${name}`;
  const path = `${top}/checkpoints/step-000001`;
  Deno.mkdirSync(path, { recursive: true });
  for (const { name } of Deno.readDirSync(model)) Deno.copyFileSync(`${model}/${name}`, `${path}/${name}`);
  for (const at of [path, `${top}/checkpoints`, top]) plant(at, ending);
  return path;
}

const untouched = () => assert(!isThere(mark), "a planted script was run");

Deno.test("generate, eval, info and export of a planted model run nothing, and say what its folder sets", async () => {
  const planted = plantedModel("planted");
  const top = `${folder}/planted`;
  const ask = ["--max-thinking", "2", "--answer-tokens", "2"];
  for (
    const args of [
      ["generate", "Sam has 3 coins. How many coins does Sam have?", "--model", planted, ...ask],
      ["eval", "sums", "--model", top, "--limit", "1", "--mode", "hard-greedy", ...ask],
      ["model", "info", planted],
      ["model", "export", top, "--out", `${folder}/exported`],
    ]
  ) {
    const { code, stderr } = await runSoftcot(args);
    assertEquals(code, 0, stderr);
    untouched();
    if (args[0] === "generate") {
      assertStringIncludes(stderr, "run      sets gamma 0.25\n");
      assertStringIncludes(stderr, `trained on ${top}/x.js, which is not opened`);
    }
  }
});

Deno.test("an adapter, a training from a planted model, and a planted run that is resumed run nothing", async () => {
  const planted = plantedModel("seed");
  const short = { model: planted, steps: 1, "validate-every": 0 };
  const adapter = `${folder}/adapter`;
  const trained = await runSoftcot(trainArgs({ ...short, lora: true, out: adapter }));
  assertEquals(trained.code, 0, trained.stderr);
  untouched();
  const before = Deno.readTextFileSync(`${adapter}/config.toml`);
  Deno.writeTextFileSync(`${adapter}/x.js`, SCRIPT);
  for (
    const [key, line] of [["task", `task = "${adapter}/x.js"`], ["reward", `reward = ["${adapter}/x.js"]`]]
  ) {
    const others = before.split("\n").filter((one) => !one.startsWith(`${key} =`));
    Deno.writeTextFileSync(`${adapter}/config.toml`, [line, ...others].join("\n"));
    const ask = ["generate", "Sam has 3 coins. How many coins does Sam have?", "--max-thinking", "2"];
    const { code, stderr } = await runSoftcot([...ask, "--adapter", adapter]);
    assertEquals(code, 0, stderr);
    const told =
      `Cannot resume ${adapter}: its config.toml names own code, --${key} ${adapter}/x.js, which has to be named`;
    const hint = `go on with: softcot train --resume --out ${adapter} --${key} ${adapter}/x.js`;
    await fails(resumeArgs(adapter), 1, told, hint);
    untouched();
  }
});

Deno.test("a run that used own code goes on where the command line names it again", async () => {
  const reward = `${folder}/in brief.ts`;
  Deno.writeTextFileSync(reward, "export default ({ thinkingTokens }) => -thinkingTokens;");
  const out = `${folder}/it's own`;
  const started = await runSoftcot(trainArgs({ model, steps: 1, reward, out, "validate-every": 0 }));
  assertEquals(started.code, 0, started.stderr);
  // The command that is told is the one that was given, and the own code: a shell reads it as it stands.
  await fails(
    [...resumeArgs(out), "--steps", "2", "--allow-own", "net=a.example,sys", "--reward-timeout", "9"],
    1,
    `--reward ${reward}, which has to be named again`,
    `softcot train --resume --out '${folder}/it'\\''s own' --steps 2 --reward '${reward}' --allow-own net=a.example,sys --reward-timeout 9\n`,
  );
  const { code, stderr } = await runSoftcot([...resumeArgs(out), "--reward", reward]);
  assertEquals(code, 0, stderr);
});

Deno.test("no ending, no link, no folder above lets a model's folder name a task that is code", () =>
  inFolder((top) => {
    const path = `${top}/a/b`;
    Deno.mkdirSync(path, { recursive: true });
    Deno.symlinkSync(path, `${top}/link`);
    const places = [path, `${path}/`, `${top}/link`, `${top}/a/best`, `${top}/checkpoints/step-1`];
    for (
      const own of [...ENDINGS.map((ending) => `x.${ending}`), "x.toml", "x", "../x.js", "/x.JS", "x.js?a"]
    ) {
      for (const at of [path, `${top}/a`, top]) {
        Deno.writeTextFileSync(`${at}/config.toml`, `task = "${own}"\nreward = ["${own}"]\nsystem = "s"`);
      }
      for (const place of places) {
        assertEquals(runValues(place), { system: "s" }, place);
      }
    }
    assertEquals(ownTaskOf(path), undefined, "a name that no task has");
    Deno.removeSync(`${path}/config.toml`);
    assertEquals(runValues(path), {}, "what lies above a folder of any name says nothing of it");
  }));
