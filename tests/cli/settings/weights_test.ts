/** --weights and --rollout-weights, as processes: same texts, smaller weights, clear refusals. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { realModel, testWithModel } from "../../model/support/real_models.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { assertSameRun, metricsOf } from "../../rl/support/run_files.ts";
import { resumeArgs, trainArgs, type TrainFlags } from "../support/train_args.ts";
import { smallModel } from "../support/small_model.ts";
import { stopAt } from "../support/stop_when.ts";

const { folder, model } = await smallModel();

Deno.test("the embedded model is held in f16, as it is stored, and evaluates as in f32", async () => {
  const measure = async (weights: string) => {
    const args = [
      "eval",
      "--weights",
      weights,
      "--mode",
      "hard-greedy,soft-sample",
      "--limit",
      "8",
      "--json",
    ];
    const { tasks: [report] } = JSON.parse((await succeed([...args, "--samples", "2"])).stdout);
    assertEquals(report.model.weights, weights);
    return report.modes.map(({ seconds: _, tokensPerSecond: __, ...mode }: Record<string, unknown>) => mode);
  };
  assertEquals(await measure("exact"), await measure("f32"));
  const info = async (...args: string[]) =>
    JSON.parse((await succeed(["model", "info", "--json", ...args])).stdout);
  const [exact, f32] = [await info(), await info("--weights", "f32")];
  assertEquals(exact.memory.weights, exact.memory.weightsAs.f16);
  assertEquals([f32.memory.weights, f32.memory.form], [4 * f32.parameters, "f32"]);
  const saved = f32.memory.weights - exact.memory.weights;
  assert(saved > 0.9 * 2 * f32.parameters);
  assertEquals(f32.memory.generation - exact.memory.generation, saved);
  assertEquals(f32.memory.lora.state - exact.memory.lora.state, saved);
});

Deno.test("results in a folder are not gone on with in weights that give others", async () => {
  const args = [
    "eval",
    "--mode",
    "hard-greedy",
    "--limit",
    "2",
    "--out",
    `${folder}/results`,
    "--model",
    model,
  ];
  await succeed([...args, "--weights", "f32"]);
  await succeed(args);
  await fails([...args, "--weights", "f16"], 1, "weights");
});

Deno.test("rollouts by weights in f16 are told by the mismatch, also by a run that was killed and resumed", async () => {
  const out = `${folder}/halves`;
  const args = trainArgs({ model, steps: 6, "rollout-weights": "f16", out });
  await succeed(args);
  const mismatches = metricsOf(out).map(({ mismatch_answer_max }) => mismatch_answer_max as number);
  assert(
    mismatches.some((value) => value > 0) && mismatches.every((value) => value < 0.05),
    mismatches.join(),
  );
  assertStringIncludes(Deno.readTextFileSync(`${out}/config.toml`), 'rollout-weights = "f16"');
  const killed = `${folder}/killed`;
  await stopAt(args.with(-1, killed), killed, 4, "SIGKILL");
  await succeed(resumeArgs(killed));
  assertSameRun(killed, out);
});

Deno.test("weights that cannot be had are refused, in a word what to do", async () => {
  const train = (flags: TrainFlags) => trainArgs({ model, out: `${folder}/refused`, ...flags });
  await fails(
    train({ weights: "f16" }),
    1,
    `Cannot train ${model} with --weights f16: its weights are what trains, f32 is needed`,
    "--lora trains an adapter on weights of any type",
  );
  await fails(
    train({ lora: true, "rollout-weights": "f16" }),
    1,
    "Cannot use --rollout-weights f16 with --lora",
    "--weights f16 is for rollouts and updates alike",
  );
  const given = ["--model", model, "--weights", "packed"];
  const lora = train({ lora: true, weights: "packed" });
  for (const args of [["eval", ...given], ["generate", "2 + 2", ...given], lora]) {
    await fails(
      args,
      1,
      `Cannot pack the weights of ${model}: they are stored as F32, some of Q8_0, Q4_0 or Q4_1 are needed`,
      "--weights exact",
    );
  }
  await fails(["eval", "--weights", "int8"], 2, `"exact", "f32", "f16", "packed"`);
});

testWithModel(
  "smollm2-135m-instruct",
  "SmolLM2-135M writes the same text with weights packed and in f32, one after the other and in soft thinking",
  async (name) => {
    assertEquals(name, realModel("smollm2-135m-instruct"));
    const ask = async (weights: string, ...args: string[]) => {
      const text = ["generate", "The capital of France is", "--model", name, "--weights", weights, ...args];
      return (await succeed(text)).stdout;
    };
    const raw = ["--raw", "--thinking", "hard", "--max-tokens", "24"];
    const expected = await ask("f32", ...raw);
    assertStringIncludes(expected, "Paris");
    assertEquals(await ask("packed", ...raw), expected);
    const soft = ["--thinking", "soft", "--sample", "--max-thinking", "8", "--answer-tokens", "6"];
    assertEquals(await ask("packed", ...soft), await ask("f32", ...soft));
  },
);
