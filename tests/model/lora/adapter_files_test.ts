/** Adapters as files: PEFT's are read, its names and shapes are written, damaged and foreign ones are told. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { findAdapter, locateAdapter } from "../../../model/lora/locate_adapter.ts";
import { loadAdapter } from "../../../model/lora/load_adapter.ts";
import { readAdapterConfig } from "../../../model/lora/adapter_config.ts";
import { saveAdapter } from "../../../model/lora/save_adapter.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { openSafetensors } from "../../../model/formats/safetensors.ts";
import { createSafetensors } from "../../../model/formats/safetensors_writer.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { type Adapter, addAdapter, freeAdapter } from "../../../model/transformer/adapter.ts";
import { createLoraParams } from "../../../model/transformer/lora_params.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { freeParams } from "../../../model/transformer/params.ts";
import { freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { accumulateCrossEntropy } from "../../../rl/cross_entropy.ts";
import { loadGolden, readSafetensors } from "../../golden/load_golden.ts";
import { assertClose, assertSameBits, openTestGpu } from "../../gpu/support.ts";
import { randomAdapter } from "../../rl/support/lora_in_f64.ts";
import { downloadNamed, gradientError } from "../../rl/support/named_weights.ts";
import { tinyModel } from "../../rl/support/tiny_model.ts";
import { root } from "../../support/places.ts";
import { inFolder } from "../../support/folders.ts";
import { goldenModel } from "../support/golden_model.ts";
import { logitsOf } from "../support/logits_of.ts";
import { tokenizer } from "../support/small_models.ts";

const t = await openTestGpu();
const { gpu } = t;
const GOLDEN_ADAPTERS = `${root}tests/golden/adapters`;

const weightsOf = ({ params }: Adapter, model: Model) => downloadNamed(gpu, model.config, params);

for (const name of ["llama3_gqa", "qwen3"] as const) {
  Deno.test(`${name}: an adapter of PEFT makes the logits and the gradients that PyTorch finds`, async () => {
    const golden = loadGolden(name);
    const expected = JSON.parse(Deno.readTextFileSync(`${GOLDEN_ADAPTERS}/${name}/golden.json`));
    const model = goldenModel(gpu, name, golden);
    model.adapter = loadAdapter(gpu, golden.config, `${GOLDEN_ADAPTERS}/${name}`);
    const logits = await logitsOf(model, golden.sequences[0]);
    expected.logits.forEach((row: number[], i: number) => assertClose(`row ${i}`, logits[i], row, 1e-11));
    const grads = createLoraParams(gpu, golden.config, model.adapter.settings.rank, "gradient");
    const examples = golden.sequences.map((ids) => ({ ids, from: 1 }));
    const logp = await accumulateCrossEntropy(model, grads, examples, 1, false)();
    const loss = -logp.reduce((sum, value) => sum + value, 0);
    assert(Math.abs(loss - expected.crossEntropy) < 1e-3, `${loss}, ${expected.crossEntropy}`);
    const gradients = await downloadNamed(gpu, golden.config, grads);
    const theirs = readSafetensors(`${GOLDEN_ADAPTERS}/${name}/gradients.safetensors`);
    const wanted = new Map([...theirs].map(([key, { data }]) => [key, data]));
    const error = gradientError(gradients, wanted);
    assert(error < 1e-10, `normalised error ${error}`);
    for (const [key, values] of gradients) if (!wanted.has(key)) assert(values.every((x) => x === 0), key);
    freeParams(gpu, grads);
    freeModel(model);
  });
}

Deno.test("a saved adapter comes back to the bit, with its settings, under PEFT's names", () =>
  inFolder(async (folder) => {
    const model = tinyModel(gpu);
    for (const settings of [{ rank: 5, alpha: 7 }, { rank: 2, alpha: 2.5, targets: ["o_proj", "up_proj"] }]) {
      const adapter = await randomAdapter(model, settings, 1);
      adapter.base = { name: "builtin", hash: "0a" };
      await saveAdapter(model, folder, { embeddingRms: 0.5 });
      const file = openSafetensors(`${folder}/adapter_model.safetensors`);
      const first = file.tensors.get("base_model.model.model.layers.1.self_attn.o_proj.lora_A.weight")!;
      assertEquals([first.dtype, first.shape], ["F32", [settings.rank, 32]]);
      assertEquals(file.tensors.size, 2 * 2 * (settings.targets?.length ?? 7));
      file.close();
      const config = JSON.parse(Deno.readTextFileSync(`${folder}/adapter_config.json`));
      assertEquals(
        [config.peft_type, config.r, config.lora_alpha, config.base_model_name_or_path],
        ["LORA", settings.rank, settings.alpha, "builtin"],
      );
      const read = loadAdapter(gpu, model.config, folder);
      assertEquals(read.settings, { rankStabilised: false, ...settings });
      const ours = await weightsOf(adapter, model);
      for (const [name, values] of await weightsOf(read, model)) {
        const isKept = settings.targets?.some((target) => name.includes(target)) ?? true;
        if (isKept) assertSameBits(name, values, ours.get(name)!);
        else assert(values.every((x) => x === 0), name);
      }
      freeAdapter(gpu, adapter);
      freeAdapter(gpu, read);
    }
    delete model.adapter;
    freeModel(model);
  }));

Deno.test("an adapter is found in its folder, in a run's best checkpoint, else in its newest", () =>
  inFolder((folder) => {
    assertEquals(findAdapter(folder), undefined);
    assertThrows(() => locateAdapter(folder), UserError, "Cannot find an adapter in ");
    for (const place of ["checkpoints/step-000009", "checkpoints/step-000010", "best", "."]) {
      Deno.mkdirSync(`${folder}/${place}`, { recursive: true });
      Deno.writeTextFileSync(`${folder}/${place}/adapter_config.json`, "{}");
      assertEquals(findAdapter(folder), place === "." ? folder : `${folder}/${place}`);
    }
  }));

Deno.test("configurations that ask for more than plain LoRA, and damaged ones, are told", () =>
  inFolder((folder) => {
    const plain = { peft_type: "LORA", r: 4, lora_alpha: 8 };
    const read = (data: unknown) => {
      Deno.writeTextFileSync(`${folder}/adapter_config.json`, JSON.stringify(data));
      return readAdapterConfig(folder);
    };
    assertEquals(read({ ...plain, rank_pattern: {}, modules_to_save: null, lora_dropout: 0.1 }), {
      rank: 4,
      alpha: 8,
      rankStabilised: false,
    });
    for (
      const [change, message] of [
        [{ peft_type: "IA3" }, 'peft_type is "IA3", LORA is needed'],
        [{ r: 0 }, "r is 0, a whole number from 1 to 4096 is needed"],
        [{ r: "4" }, 'r is "4"'],
        [{ lora_alpha: null }, "lora_alpha is null, a number is needed"],
        [{ use_dora: true }, "use_dora is true, which softcot does not support"],
        [{ modules_to_save: ["embed_tokens"] }, 'modules_to_save is ["embed_tokens"]'],
        [{ rank_pattern: { q_proj: 2 } }, 'rank_pattern is {"q_proj":2}'],
      ] as const
    ) {
      const error = assertThrows(() => read({ ...plain, ...change }), UserError, message);
      assertStringIncludes(error.message, `Cannot use the adapter ${folder}: adapter_config.json: `);
    }
    Deno.writeTextFileSync(`${folder}/adapter_config.json`, "{");
    assertThrows(() => readAdapterConfig(folder), UserError, "adapter_config.json: ");
  }));

Deno.test("tensors of another model, of no linear layer, or without their pair are told", () =>
  inFolder(async (folder) => {
    const model = tinyModel(gpu);
    addAdapter(model, { rank: 2, alpha: 2 }, 0);
    await saveAdapter(model, folder, {});
    const path = `${folder}/adapter_model.safetensors`;
    const write = (tensors: Record<string, number[]>) => {
      const specs = Object.entries(tensors).map(([name, shape]) => ({ name, dtype: "F32" as const, shape }));
      const writer = createSafetensors(path, specs);
      for (const { name, shape } of specs) writer.write(name, new Float32Array(shape[0] * shape[1]));
      writer.finish();
    };
    const layer = (i: number, rest: string) => `base_model.model.model.layers.${i}.${rest}.weight`;
    const q = (d: number) => ({
      [layer(0, "self_attn.q_proj.lora_A")]: [2, d],
      [layer(0, "self_attn.q_proj.lora_B")]: [32, 2],
    });
    for (
      const [tensors, message] of [
        [q(20), "self_attn.q_proj.lora_A.weight is [2, 20], the model asks for [2, 24]"],
        [
          { ...q(24), [layer(2, "mlp.up_proj.lora_A")]: [2, 24] },
          "layers.2.mlp.up_proj.lora_A.weight, which is no",
        ],
        [
          { "base_model.model.lm_head.lora_A.weight": [2, 24] },
          "holds base_model.model.lm_head.lora_A.weight",
        ],
        [
          { [layer(0, "mlp.up_proj.lora_B")]: [36, 2] },
          "without base_model.model.model.layers.0.mlp.up_proj.lora_A",
        ],
        [{}, "is empty"],
      ] as const
    ) {
      write(tensors as Record<string, number[]>);
      const error = assertThrows(() => loadAdapter(gpu, model.config, folder), UserError, message);
      assertStringIncludes(error.message, `Cannot use the adapter ${folder}: `);
    }
    Deno.truncateSync(path, 100);
    assertThrows(() => loadAdapter(gpu, model.config, folder), UserError, path);
    Deno.removeSync(path);
    assertThrows(() => loadAdapter(gpu, model.config, folder), UserError, path);
    freeModel(model);
  }));

Deno.test("a model opens with an adapter on top; an adapter's folder opens as its base model, if that is there as it was", () =>
  inFolder(async (folder) => {
    const model = tinyModel(gpu);
    await saveModel({ model, tokenizer, source: "test" }, `${folder}/base`, "F32", { embeddingRms: 0.25 });
    const adapter = await randomAdapter(model, { rank: 3, alpha: 6 }, 5);
    using files = openModelFiles(`${folder}/base`);
    adapter.base = { name: Deno.realPathSync(`${folder}/base`), hash: files.hash() };
    await saveAdapter(model, `${folder}/run/best`, { embeddingRms: 0.125 });
    const ids = [5, 9, 2, 33, 17];
    const logits = async (model: Model) =>
      Float32Array.from((await logitsOf(model, ids)).flatMap((x) => [...x]));
    const expected = await logits(model);

    const given = await findModel(gpu, `${folder}/base`, { adapter: `${folder}/run` });
    const opened = await findModel(gpu, `${folder}/run`);
    for (const found of [given, opened]) {
      assertSameBits("logits", await logits(found.model), expected);
      assertEquals(found.base(), adapter.base);
      assert(found.hash() !== adapter.base.hash);
    }
    assertEquals(given.hash(), opened.hash());
    assertEquals([given.embeddingRms, opened.embeddingRms], [0.25, 0.125]);
    assertEquals(opened.model.adapter!.base, adapter.base);
    for (const each of [model, given.model, opened.model]) freeModel(each);

    const twice = findModel(gpu, `${folder}/run`, { adapter: `${folder}/run` });
    await assertRejects(() => twice, UserError, "it has one already, a whole model is needed");

    // Another base under the same name, then none.
    const other = tinyModel(gpu, {}, 2);
    await saveModel({ model: other, tokenizer, source: "test" }, `${folder}/base`, "F32", {});
    freeModel(other);
    const changed = assertThrows(
      () => openModelFiles(`${folder}/run`),
      UserError,
      "is not the one it was trained on",
    );
    assertStringIncludes(changed.hint!, `--model BASE --adapter ${folder}/run/best`);
    Deno.removeSync(`${folder}/base`, { recursive: true });
    const gone = assertThrows(() => openModelFiles(`${folder}/run`), UserError, "cannot find the model ");
    assertStringIncludes(gone.message, `Cannot open ${folder}/run/best: it is an adapter of the model `);
    assertStringIncludes(gone.hint!, "--adapter");
    Deno.removeSync(`${folder}/run/best/softcot.json`);
    const config = JSON.parse(Deno.readTextFileSync(`${folder}/run/best/adapter_config.json`));
    Deno.writeTextFileSync(
      `${folder}/run/best/adapter_config.json`,
      JSON.stringify({ ...config, base_model_name_or_path: null }),
    );
    assertThrows(
      () => openModelFiles(`${folder}/run`),
      UserError,
      "it holds an adapter that names no base model",
    );
  }));
