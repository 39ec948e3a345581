/**
 * Exports models in every form and writes what they compute here, for check_exports.py:
 *
 *     deno run -A tests/golden/exports/write_exports.ts WORK [MODEL...]
 *
 * WORK gets a small random model of each family, and what is named beside them. For each, WORK/NAME/ has the exports and
 * logits.json: ids, their logits by the model and by each export opened again (little-endian f32, base64), and texts with
 * their token ids.
 *
 * @module
 */
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { exportGguf, type ExportOptions, exportSafetensors } from "../../../model/files/export_model.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { BYTE_MODELS, byteTokenizer } from "../../model/support/byte_models.ts";
import { logitsOf } from "../../model/support/logits_of.ts";
import { randomModel } from "../../model/support/small_models.ts";

const [work, ...others] = Deno.args;
const gpu = await openGpu();

const STORY = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day she " +
  "saw 12 birds, and 7 of them flew away. How many birds were left? There were 12 - 7 = 5 birds left.";
const TEXTS = [STORY, "the anthem 12 and 112", "It's 3.14\n\n\tnaïve café", "日本語 and emoji 🙂 done", " two  blanks   "];
/** Positions whose logits are written. */
const POSITIONS = 64;

const base64 = (rows: Float32Array[]) =>
  new Uint8Array(Float32Array.from(rows.flatMap((row) => [...row])).buffer).toBase64();

async function logitsAt(path: string, ids: readonly number[]): Promise<string> {
  const { model } = await findModel(gpu, path);
  const rows = await logitsOf(model, ids);
  freeModel(model);
  return base64(rows);
}

async function write(name: string, path: string): Promise<void> {
  const folder = `${work}/${name}`;
  Deno.mkdirSync(folder, { recursive: true });
  using files = openModelFiles(path);
  const source = { ...files, name };
  const hf: ExportOptions = { out: `${folder}/hf`, dtype: "f32" };
  await exportSafetensors(source, hf);
  const dtypes = ["f32", "f16", "bf16", "q8_0"] as const;
  for (const dtype of dtypes) await exportGguf(source, { out: `${folder}/${dtype}.gguf`, dtype });
  const text = files.tokenizer.encode(STORY).slice(0, POSITIONS);
  const ids = files.tokenizer.bosId === undefined ? text : [files.tokenizer.bosId, ...text].slice(0, POSITIONS);
  // A file that softcot does not open, llama.cpp is held against the model's own weights.
  const opened = (gguf: string) => {
    try {
      openModelFiles(gguf)[Symbol.dispose]();
      return gguf;
    } catch {
      return path;
    }
  };
  const logits: Record<string, string> = { hf: await logitsAt(path, ids) };
  for (const dtype of dtypes) logits[dtype] = await logitsAt(opened(`${folder}/${dtype}.gguf`), ids);
  const texts = TEXTS.map((text) => [text, files.tokenizer.encode(text)]);
  const data = { ids, logits, texts, bosId: files.tokenizer.bosId ?? null, vocabSize: files.config.vocabSize };
  Deno.writeTextFileSync(`${folder}/logits.json`, JSON.stringify(data));
  console.log(name);
}

for (const [name, { config, pre, addsBos }] of Object.entries(BYTE_MODELS)) {
  const model = randomModel(gpu, config);
  const folder = `${work}/${name}/model`;
  await saveModel({ model, tokenizer: byteTokenizer(pre, addsBos), source: name }, folder, "F32", {});
  freeModel(model);
  await write(name, folder);
}
for (const path of others) await write(path.replace(/\/+$/, "").replace(/^.*\//, ""), path);
gpu.close();
