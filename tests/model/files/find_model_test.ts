import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createHash } from "node:crypto";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { makeEmbeddedFiles } from "../../../model/builtin/embed_weights.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { rootMeanSquare } from "../../../model/transformer/initialise.ts";
import { countWeights } from "../../../model/memory/count_weights.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { countParams, matricesOf } from "../../../model/transformer/params.ts";
import { freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { inFolder } from "../../support/folders.ts";
import { randomModel, SMALL, tokenizer } from "../support/small_models.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

const save = (model: Model, folder: string, dtype: "F32" | "F16" = "F32", extras = {}) =>
  saveModel({ model, tokenizer, source: "test" }, folder, dtype, extras);

/** Absent and undefined are the same there. */
const asJson = (data: unknown) => JSON.parse(JSON.stringify(data));

Deno.test("a folder gives its weights back, its RMS(E) measured, its hash that of the file", async () => {
  await inFolder(async (folder) => {
    const model = randomModel(gpu);
    await save(model, folder);
    const found = await findModel(gpu, folder);
    assertEquals(asJson(found.model.config), asJson(model.config));
    const [ours, theirs] = [matricesOf(model.params), matricesOf(found.model.params)];
    for (const [i, matrix] of ours.entries()) {
      assertEquals(await downloadMatrix(gpu, theirs[i]), await downloadMatrix(gpu, matrix));
    }
    const embedding = await downloadMatrix(gpu, model.params.embedding);
    assertAlmostEquals(found.embeddingRms, rootMeanSquare(embedding), 1e-15);
    const bytes = await Deno.readFile(`${folder}/model.safetensors`);
    assertEquals(found.hash(), createHash("sha256").update(bytes).digest("hex"));
    assertEquals(found.tokenizer.encode("User: Sam has 10"), tokenizer.encode("User: Sam has 10"));
  });
});

Deno.test("RMS(E) that is kept with a model wins over the embedding's own", async () => {
  await inFolder(async (folder) => {
    await save(randomModel(gpu), folder, "F32", { embeddingRms: 0.125 });
    assertEquals((await findModel(gpu, folder)).embeddingRms, 0.125);
    using files = openModelFiles(folder);
    assertEquals([files.embeddingRms, files.rmsMeasured], [0.125, false]);
  });
});

Deno.test("a run stands for its best checkpoint, else for its newest", async () => {
  await inFolder(async (run) => {
    for (const step of [9, 20, 100]) {
      const folder = `${run}/checkpoints/step-${String(step).padStart(6, "0")}`;
      await save(randomModel(gpu, SMALL, step), folder, "F32", { embeddingRms: step });
    }
    assertEquals((await findModel(gpu, run)).embeddingRms, 100);
    const best = `${run}/checkpoints/step-000020`;
    const foundAs = async (name: string) => {
      const { embeddingRms, folder } = await findModel(gpu, name);
      return [embeddingRms, folder];
    };
    Deno.writeTextFileSync(`${run}/best`, "checkpoints/step-000020\n");
    for (const name of [run, `${run}/best`]) assertEquals(await foundAs(name), [20, best]);
    // What older versions left is a link.
    Deno.removeSync(`${run}/best`);
    Deno.symlinkSync("checkpoints/step-000020", `${run}/best`);
    assertEquals(await foundAs(run), [20, best]);
    assertEquals(await foundAs(`${run}/best`), [20, `${run}/best`]);
    for (const elsewhere of [`${run}/checkpoints/step-000009`, "../x", "/etc/passwd", "checkpoints/../x"]) {
      for (
        const lay of [Deno.symlinkSync, (text: string, path: string) => Deno.writeTextFileSync(path, text)]
      ) {
        Deno.removeSync(`${run}/best`);
        lay(elsewhere, `${run}/best`);
        await assertRejects(() => foundAs(run), UserError, "its file best names no whole checkpoint of it");
      }
    }
    for (const text of ["", "noise", "checkpoints/step-000999"]) {
      Deno.removeSync(`${run}/best`);
      Deno.writeTextFileSync(`${run}/best`, text);
      await assertRejects(() => foundAs(run), UserError, "its file best names no whole checkpoint of it");
    }
    Deno.removeSync(`${run}/best`);
    Deno.removeSync(`${run}/checkpoints/step-000100/config.json`);
    const { hint } = await assertRejects(() => foundAs(run), UserError, "step-000100 holds no config.json");
    assertStringIncludes(hint!, `name an older one itself: ${best}`);
  });
});

Deno.test("what cannot be found or opened is said, with what was looked for", async () => {
  await inFolder(async (folder) => {
    const refuse = async (name: string, message: string, hint: string) => {
      const error = await assertRejects(() => findModel(gpu, name), UserError, message);
      assert((error as UserError).hint?.includes(hint), (error as UserError).hint);
    };
    await refuse("nothing-of-that-name", "no pulled model of that name", "Hugging Face");
    await Deno.writeTextFile(`${folder}/file`, "x");
    await refuse(`${folder}/file`, "it is a file, a folder, .gguf or .bin is needed", "config.json");
    await refuse(folder, "looked for config.json there", "config.json");
    await Deno.mkdir(`${folder}/checkpoints`);
    await refuse(folder, "best and checkpoints/step-", "has not written a checkpoint yet");
    await save(randomModel(gpu), folder);
    await Deno.remove(`${folder}/model.safetensors`);
    await refuse(folder, "neither model.safetensors nor", "safetensors");
    await save(randomModel(gpu, { ...SMALL, layers: 1 }), `${folder}/other`);
    await Deno.copyFile(`${folder}/other/model.safetensors`, `${folder}/model.safetensors`);
    await assertRejects(() => findModel(gpu, folder), UserError, "model.layers.1");
  });
});

Deno.test("the embedded model's files are made from a folder of f16 weights with its tokenizer", async () => {
  await inFolder(async (folder) => {
    await save(randomModel(gpu), folder, "F16", { embeddingRms: 0.5 });
    const files = makeEmbeddedFiles(folder);
    assertEquals(Object.keys(files).sort(), ["config.json", "softcot.json", "weights.base64"]);
    const bytes = await Deno.readFile(`${folder}/model.safetensors`);
    assertEquals(Uint8Array.fromBase64(files["weights.base64"]), bytes);
    assert(files["weights.base64"].split("\n").every((line) => line.length <= 120));
    const tokens = await Deno.readTextFile(`${folder}/tokenizer.json`);
    await Deno.writeTextFile(`${folder}/tokenizer.json`, tokens.replace("apples", "grapes"));
    assertThrows(
      () => makeEmbeddedFiles(folder),
      UserError,
      "tokenizer.json is not the embedded model's own",
    );
    await save(randomModel(gpu), folder, "F32");
    assertThrows(() => makeEmbeddedFiles(folder), UserError, "F16 is needed");
  });
});

Deno.test("the number of weights follows from the shape, in every family", () => {
  const shapes = [
    SMALL,
    { ...SMALL, tied: false, layers: 3 },
    { ...SMALL, architecture: "qwen2" as const, qkvBias: true },
    { ...SMALL, architecture: "qwen3" as const, qkNorm: true, headDim: 32 },
  ];
  for (const shape of shapes) {
    assertEquals(countWeights(shape), countParams(randomModel(gpu, shape).params));
  }
});

Deno.test("events are let in while a large model is loaded", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  let [tensors, before] = [0, 0];
  const onProgress = () => {
    // As long as a large tensor takes.
    const end = performance.now() + (tensors++ < 3 ? 120 : 0);
    while (performance.now() < end);
    before = turns;
  };
  const { model } = await findModel(gpu, "builtin", { onProgress });
  clearInterval(timer);
  assert(before > 0, `${before} turns before the last of ${tensors} tensors`);
  freeModel(model);
});
