/** One rule for tied embeddings wherever a model is opened: that of transformers 5, held against what it does with the same files. */
import { assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { exportGguf, exportSafetensors } from "../../../model/files/export_model.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { type ModelFiles, openModelFiles } from "../../../model/files/model_files.ts";
import { openSafetensors } from "../../../model/formats/safetensors.ts";
import { createSafetensors } from "../../../model/formats/safetensors_writer.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { inFolder } from "../../support/folders.ts";
import { logitsOf } from "../support/logits_of.ts";
import { warningsOf } from "../../support/warnings_of.ts";
import { root } from "../../support/places.ts";
import { BYTE_MODELS, byteTokenizer } from "../support/byte_models.ts";
import { randomModel, tokenizer } from "../support/small_models.ts";
import { saveModel } from "../../../model/files/save_model.ts";

const { gpu } = await openTestGpu();
const SOURCE = `${root}tests/golden/llama_tied`;
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

interface Fact {
  /** `tie_word_embeddings`; null where config.json does not have it. */
  flag: boolean | null;
  form: string;
  tied: boolean;
  warns: boolean;
  /** A tensor is missing: transformers draws it, which is no model. */
  refused: boolean;
}

const facts: Fact[] = JSON.parse(Deno.readTextFileSync(`${root}tests/golden/heads/heads.json`));

type Values = Float32Array<ArrayBuffer>;
interface Written {
  values: Values;
  dtype: "F32" | "F16";
}

const f32 = (values: Values): Written => ({ values, dtype: "F32" });
const f16 = (values: Values): Written => ({ values, dtype: "F16" });
const changed = (e: Values, at: number, value: number) => e.with(at, value) as Values;
const halves = (e: Values) => e.map((x) => Math.f16round(x)) as Values;

/** The forms of tests/golden/heads/make_heads.py. */
function formOf(form: string, e: Values): Record<string, Written> {
  const last = e.length - 1;
  const both = (embedding: Written, head: Written) => ({ [EMBEDDING]: embedding, [HEAD]: head });
  const forms: Record<string, () => Record<string, Written>> = {
    none: () => ({ [EMBEDDING]: f32(e) }),
    equal: () => both(f32(e), f32(e)),
    negated: () => both(f32(e), f32(e.map((x) => -x) as Values)),
    first_changed: () => both(f32(e), f32(changed(e, 0, e[0] + 1))),
    last_changed: () => both(f32(e), f32(changed(e, last, e[last] * (1 + 2 ** -23)))),
    zeros: () => both(f32(e), f32(new Float32Array(e.length))),
    equal_halves: () => both(f32(halves(e)), f16(e)),
    halves_of_equal: () => both(f16(e), f32(halves(e))),
    rounded: () => both(f32(e), f16(e)),
    signed_zero: () => both(f32(changed(e, 99, 0)), f32(changed(e, 99, -0))),
    not_a_number: () => both(f32(changed(e, 99, NaN)), f32(changed(e, 99, NaN))),
    head_alone: () => ({ [HEAD]: f32(e) }),
  };
  return forms[form]();
}

/** Writes a folder with these heads beside llama_tied's other weights. */
function write(folder: string, flag: boolean | null, form: string): string {
  const path = `${folder}/${flag}-${form}`;
  Deno.mkdirSync(path);
  const { tie_word_embeddings: _, ...config } = JSON.parse(Deno.readTextFileSync(`${SOURCE}/config.json`));
  const fields = { ...config, ...(flag === null ? {} : { tie_word_embeddings: flag }) };
  Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(fields));
  Deno.writeTextFileSync(`${path}/softcot.json`, '{"embeddingRms": 1}');
  for (const [name, text] of Object.entries(tokenizer.files)) {
    Deno.writeTextFileSync(`${path}/${name}`, text!);
  }
  const source = openSafetensors(`${SOURCE}/model.safetensors`);
  const made = formOf(form, readTensor(source, EMBEDDING));
  const kept = [...source.tensors.values()].filter(({ name }) => name !== EMBEDDING);
  const shape = source.tensors.get(EMBEDDING)!.shape;
  const writer = createSafetensors(`${path}/model.safetensors`, [
    ...kept.map(({ name, shape }) => ({ name, shape, dtype: "F32" as const })),
    ...Object.entries(made).map(([name, { dtype }]) => ({ name, shape, dtype })),
  ]);
  for (const { name } of kept) writer.write(name, readTensor(source, name));
  for (const [name, { values }] of Object.entries(made)) writer.write(name, values);
  writer.finish();
  source.close();
  return path;
}

for (const { flag, form, tied, warns, refused } of facts) {
  Deno.test(`tie_word_embeddings ${flag}, head ${form}: ${refused ? "refused" : tied ? "tied" : "its own"}`, () =>
    inFolder((folder) => {
      const path = write(folder, flag, form);
      if (refused) {
        const missing = form === "none" ? HEAD : EMBEDDING;
        assertThrows(() => openModelFiles(path), UserError, `it has no tensor ${missing}`);
        return;
      }
      const told = warningsOf(() => {
        using files = openModelFiles(path);
        assertEquals(files.config.tied, tied);
      });
      assertEquals(told.length, warns ? 1 : 0, told.join());
      if (warns) {
        assertStringIncludes(told[0], `${path} is said to have tied embeddings, but its ${HEAD} differs`);
      }
    }));
}

const valuesOf = (files: ModelFiles) =>
  new Map(Array.from(files.weights.tensors.keys(), (name) => [name, readTensor(files.weights, name)]));

Deno.test("a head that differs, though said to be tied, is computed with, exported and read back", () =>
  inFolder(async (folder) => {
    const ids = [3, 9, 27, 40];
    const logits = new Map<string, Float32Array[]>();
    const models = [
      write(folder, true, "negated"),
      write(folder, false, "negated"),
      write(folder, true, "none"),
    ];
    for (const path of models) logits.set(path, await logitsOf((await findModel(gpu, path)).model, ids));
    assertEquals(logits.get(models[0]), logits.get(models[1]));
    assertNotEquals(logits.get(models[0]), logits.get(models[2]));
    using files = openModelFiles(models[0]);
    await exportSafetensors({ ...files, name: "x" }, { out: `${folder}/st`, dtype: "f32" });
    using back = openModelFiles(`${folder}/st`);
    assertEquals(back.config.tied, false);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder}/st/config.json`)).tie_word_embeddings, false);
    assertEquals(valuesOf(back), valuesOf(files));
  }));

Deno.test("an equal copy is left out of exports, and an embedding that lies under the head's name is found", () =>
  inFolder(async (folder) => {
    for (const form of ["equal", "head_alone", "equal_halves"]) {
      using files = openModelFiles(write(folder, true, form));
      await exportSafetensors({ ...files, name: "x" }, { out: `${folder}/${form}`, dtype: "f32" });
      using back = openModelFiles(`${folder}/${form}`);
      assertEquals([back.config.tied, back.weights.tensors.has(HEAD)], [true, false]);
      assertEquals(readTensor(back.weights, EMBEDDING), readTensor(files.weights, EMBEDDING));
    }
  }));

Deno.test("GGUF: an output matrix that is the embedding is tied, another is not, and neither is worth a warning", () =>
  inFolder(async (folder) => {
    const [name, { config, pre, addsBos }] = Object.entries(BYTE_MODELS)[0];
    const model = randomModel(gpu, { ...config, tied: false });
    await saveModel(
      { model, tokenizer: byteTokenizer(pre, addsBos), source: name },
      `${folder}/own`,
      "F32",
      {},
    );
    using own = openModelFiles(`${folder}/own`);
    const tensors = new Map(own.weights.tensors);
    tensors.set(HEAD, { ...tensors.get(EMBEDDING)!, name: HEAD });
    const read = (name: string, from: number, out: Values) =>
      own.weights.read(name === HEAD ? EMBEDDING : name, from, out);
    const copied = { ...own, weights: { ...own.weights, tensors, read } };
    for (const [form, source] of [["own", own], ["copied", copied]] as const) {
      const out = `${folder}/${form}.gguf`;
      await exportGguf({ ...source, name }, { out, dtype: "q8_0" });
      const told = warningsOf(() => {
        using files = openModelFiles(out);
        assertEquals([files.config.tied, files.weights.tensors.has(HEAD)], [form === "copied", true]);
      });
      assertEquals(told, []);
    }
  }));
