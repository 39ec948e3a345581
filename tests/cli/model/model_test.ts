import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { modelFolder } from "../support/model_folder.ts";
import { runSoftcot } from "../support/run_softcot.ts";

const folder = await modelFolder((gpu) => randomModel(gpu));
const model = `${folder}/model`;

Deno.test("model info tells shape, tokenizer and memory", async () => {
  const { code, stdout, stderr } = await runSoftcot(["model", "info", model]);
  assertEquals(code, 0, stderr);
  const lines = [
    /^architecture +llama$/m,
    /^heads +4 of 16, 2 for keys and values$/m,
    /^vocabulary +80, head tied to the embedding, 5 rows of padding$/m,
    /^tokenizer +75 tokens, no beginning token, ends with 0$/m,
    /^RMS\(E\) +0\.100000 \(kept with the model\)$/m,
    /^full training, 8192 rows at once +[\d.]+ MiB +[\d.]+ MiB with --recompute$/m,
  ];
  for (const line of lines) assertMatch(stdout, line);
});

Deno.test("model info --json has every number; options change what is computed", async () => {
  const info = async (...args: string[]) =>
    JSON.parse((await runSoftcot(["model", "info", model, "--json", ...args])).stdout);
  const data = await info();
  const { layers, hiddenSize: d, intermediateSize: f } = SMALL;
  assertEquals(data.parameters, layers * (d * 128 + 64 * d + 3 * d * f + 2 * d) + d + 80 * d);
  assertEquals([data.config.usedVocabSize, data.tensors, data.storedAs], [75, 2 + 9 * layers, ["F32"]]);
  assertEquals(data.memory.weights, 4 * data.parameters);
  const table = data.memory.trainingState - 16 * data.parameters;
  assert(
    table >= 4 * 260 * 16 && table < 4 * 260 * 16 + 1024,
    `${table} bytes beside weights, gradients and moments`,
  );
  assertEquals(data.memory.kvBytesPerToken, layers * 2 * 2 * 16 * 4);
  const half = await info("--micro-rows", "4096");
  assert(half.memory.training < data.memory.training);
  assert(data.memory.trainingRecomputed < data.memory.training);
  const more = await info("--questions", "4");
  assert(more.memory.training > data.memory.training);
});

Deno.test("model info tells weights that are no finite numbers", async () => {
  const spoilt = await modelFolder((gpu) => randomModel(gpu));
  const path = `${spoilt}/model/model.safetensors`;
  const bytes = Deno.readFileSync(path);
  // The last of the last tensor's.
  bytes.set([0, 0, 0xc0, 0x7f], bytes.length - 4);
  Deno.writeFileSync(path, bytes);
  const { code, stdout, stderr } = await runSoftcot(["model", "info", `${spoilt}/model`]);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^NOT FINITE +model\.\S+: 1 of [\d,]+ numbers are NaN or infinite$/m);
  const { notFinite } = JSON.parse((await runSoftcot(["model", "info", `${spoilt}/model`, "--json"])).stdout);
  assertEquals(notFinite.length, 1);
  assertEquals(notFinite[0].notFinite, 1);
  assert(!(await runSoftcot(["model", "info", model])).stdout.includes("FINITE"));
});

Deno.test("an export keeps the type of the weights where nobody says another", async () => {
  const typeOf = async (name: string, out: string, ...flags: string[]) => {
    const { code, stdout, stderr } = await runSoftcot([
      "model",
      "export",
      name,
      "--out",
      `${folder}/${out}`,
      "--json",
      ...flags,
    ]);
    assertEquals(code, 0, stderr);
    const { dtype, weightBytes } = JSON.parse(stdout);
    return [dtype, weightBytes];
  };
  const [wide, bytes] = await typeOf(model, "wide");
  assertEquals(wide, "f32");
  assertEquals(await typeOf(model, "half", "--dtype", "f16"), ["f16", bytes / 2]);
  assertEquals(await typeOf(`${folder}/half`, "half-again"), ["f16", bytes / 2]);
  assertEquals((await typeOf("builtin", "builtin"))[0], "f16");
});

Deno.test("model info names what is wrong", async () => {
  const missing = await runSoftcot(["model", "info", `${folder}/none`]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertStringIncludes(missing.stderr, "there is no such folder");
  assertEquals((await runSoftcot(["model", "infos"])).code, 2);
  const help = await runSoftcot(["model"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.stdout, "info");
});
