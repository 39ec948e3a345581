/** Runs that train an adapter, as processes: killed and resumed, continued in another run, evaluated, and refused. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bestCheckpoint } from "../../../model/files/best_checkpoint.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { assertSameRun, checkpointsOf, metricsOf } from "../../rl/support/run_files.ts";
import { resumeArgs, trainArgs, type TrainFlags } from "../support/train_args.ts";
import { smallModel } from "../support/small_model.ts";
import { stopAt } from "../support/stop_when.ts";

const { folder, model } = await smallModel();
const STEPS = 15;
const LORA = { lora: true, "lora-rank": 4, "lora-alpha": 8, "lora-lr": 0.02 } as const;
const train = (flags: TrainFlags) => trainArgs({ model, steps: STEPS, ...flags });
const ADAPTER = "adapter_model.safetensors";

/** A run of an adapter, never stopped: made once. */
let whole: Promise<string> | undefined;
function wholeRun(): Promise<string> {
  const make = async () => {
    const out = `${folder}/whole`;
    await succeed(train({ ...LORA, out }));
    const metrics = metricsOf(out);
    assert(metrics.filter((line) => line.gradient_norm as number > 0).length > STEPS / 2);
    for (const { mismatch_thinking_max, mismatch_answer_max, mismatch_near_tie_max } of metrics) {
      assertEquals([mismatch_thinking_max, mismatch_answer_max, mismatch_near_tie_max], [0, 0, 0]);
    }
    return out;
  };
  return whole ??= make();
}

const newest = (out: string) => `${out}/checkpoints/${checkpointsOf(out).at(-1)}`;

Deno.test("a run of an adapter that is killed again and again ends like one that never was", async () => {
  const expected = await wholeRun();
  const out = `${folder}/killed`;
  for (const [i, lines] of [1, 8].entries()) {
    const args = i === 0 ? train({ ...LORA, out }) : resumeArgs(out);
    const { status, stderr } = await stopAt(args, out, lines, "SIGKILL");
    assertEquals(status.signal, "SIGKILL", `killed too late: ${stderr}`);
  }
  const { stderr } = await succeed(resumeArgs(out));
  assertMatch(stderr, /^run .*, from step [1-9]/m);
  assertSameRun(out, expected);
});

Deno.test("its checkpoints hold the adapter alone, with the base model's name and hash, and the settings are kept", async () => {
  const out = await wholeRun();
  const names = [...Deno.readDirSync(newest(out))].map(({ name }) => name).sort();
  const files = [ADAPTER, "adapter_config.json", "optimizer.safetensors", "softcot.json", "state.json"];
  assertEquals(names, files.sort());
  const { base } = JSON.parse(Deno.readTextFileSync(`${newest(out)}/softcot.json`));
  assertEquals(base.name, Deno.realPathSync(model));
  assertMatch(base.hash, /^[0-9a-f]{64}$/);
  const config = Deno.readTextFileSync(`${out}/config.toml`);
  for (const line of ["lora = true", "lora-rank = 4", "lora-alpha = 8", "lora-lr = 0.02"]) {
    assertStringIncludes(config, line);
  }
  assertEquals(metricsOf(out)[1].lr, 0.02);
});

Deno.test("a run stands for its base model with the adapter, as both named apart do", async () => {
  const out = await wholeRun();
  const measure = async (...args: string[]) => {
    const flags = ["--mode", "hard-greedy,soft-greedy", "--limit", "6", "--json"];
    const { stdout } = await succeed(["eval", "sums", ...flags, ...args]);
    const { model, modes } = JSON.parse(stdout).tasks[0];
    return {
      hash: model.hash,
      modes: modes.map(({ accuracy, questions }: Record<string, unknown>) => ({ accuracy, questions })),
    };
  };
  const asRun = await measure("--model", out);
  const apart = await measure("--model", model, "--adapter", out);
  assertEquals(apart, asRun);
  assertEquals(await measure("--adapter", out), asRun, "the adapter names its base");
  const plain = await measure("--model", model);
  assert(plain.hash !== asRun.hash);
});

Deno.test("an adapter alone is put on the model it was trained on; on another one its name is in the hint", async () => {
  const out = await wholeRun();
  const limits = ["--max-thinking", "4", "--answer-tokens", "4"];
  const ask = (...more: string[]) => ["generate", ...more, ...limits, "Sam has 10 coins."];
  const named = await succeed(ask("--model", model, "--adapter", out));
  assertEquals((await succeed(ask("--adapter", out))).stdout, named.stdout);
  const hint = `hint: it was trained on ${Deno.realPathSync(model)}: give --model`;
  await fails(ask("--model", "builtin", "--adapter", out), 1, hint);
  const again = `${folder}/alone`;
  const { "lora-lr": _, ...form } = LORA;
  await succeed(trainArgs({ adapter: out, ...form, "validate-every": 0, steps: 1, out: again }));
  assertStringIncludes(Deno.readTextFileSync(`${again}/config.toml`), Deno.realPathSync(model));
});

Deno.test("an adapter is continued by another run, with the form that it has", async () => {
  const first = await wholeRun();
  const adapter = newest(first);
  const out = `${folder}/continued`;
  // At rate 0 it comes out as it went in.
  await succeed(train({ adapter, "lora-lr": 0, "validate-every": 0, steps: 1, out }));
  assertEquals(Deno.readFileSync(`${newest(out)}/${ADAPTER}`), Deno.readFileSync(`${adapter}/${ADAPTER}`));
  const config = Deno.readTextFileSync(`${out}/config.toml`);
  for (const line of ["lora = true", "lora-rank = 4", "lora-alpha = 8"]) assertStringIncludes(config, line);
  const hint = "hint: leave the flag out, or start a new adapter with --lora alone";
  await fails(train({ adapter, "lora-rank": 8, out: `${out}-8` }), 1, "with --lora-rank 8: it has 4", hint);
  // The run's folder as the model: its base with the adapter.
  await succeed(trainArgs({ model: first, "lora-lr": 0, "validate-every": 0, steps: 1, out: `${out}-run` }));
  const best = Deno.readFileSync(`${bestCheckpoint(first)}/${ADAPTER}`);
  assertEquals(Deno.readFileSync(`${newest(`${out}-run`)}/${ADAPTER}`), best);
});

Deno.test("flags of an adapter without one, an adapter that is none, and a base that is gone are told", async () => {
  await fails(
    train({ "lora-rank": 8, out: `${folder}/none` }),
    1,
    "Cannot use --lora-rank: no adapter is trained",
    "hint: add --lora",
  );
  await fails(train({ adapter: model, out: `${folder}/none` }), 1, `Cannot find an adapter in ${model}`);
  await fails(train({ ...LORA, "lora-rank": 0, out: `${folder}/none` }), 2, "lora-rank");
  const [base, out] = [`${folder}/moving`, `${folder}/stranded`];
  Deno.mkdirSync(base);
  for (const { name } of Deno.readDirSync(model)) Deno.copyFileSync(`${model}/${name}`, `${base}/${name}`);
  await succeed(train({ ...LORA, model: base, "validate-every": 0, steps: 2, out }));
  Deno.renameSync(base, `${base}-away`);
  const missing = "it is an adapter of the model ";
  await fails(
    ["eval", "sums", "--model", out, "--limit", "1"],
    1,
    missing,
    "hint: give the base model where it is",
  );
  await succeed([
    "eval",
    "sums",
    "--model",
    `${base}-away`,
    "--adapter",
    out,
    "--limit",
    "1",
    "--mode",
    "hard-greedy",
  ]);
  // Other weights under the old name.
  Deno.renameSync(`${base}-away`, base);
  const bytes = Deno.readFileSync(`${base}/model.safetensors`);
  bytes[bytes.length - 1] ^= 1;
  Deno.writeFileSync(`${base}/model.safetensors`, bytes);
  await fails(resumeArgs(out), 1, "is not the one it was trained on: sha256 ");
});
