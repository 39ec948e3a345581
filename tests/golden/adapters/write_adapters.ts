/**
 * Writes files for check_adapters.py: adapters of the golden models as PEFT reads them, the logits that they make here,
 * and the weights with the adapter merged. With a model and an adapter (or a run that trained one), the same for those.
 *
 *     deno run -A write_adapters.ts DIR [MODEL ADAPTER]
 */
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { loadAdapter } from "../../../model/lora/load_adapter.ts";
import { locateAdapter } from "../../../model/lora/locate_adapter.ts";
import { saveAdapter } from "../../../model/lora/save_adapter.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { writeParams } from "../../../model/files/params_file.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { addAdapter, refreshAdapter } from "../../../model/transformer/adapter.ts";
import { loraMatrices } from "../../../model/transformer/lora_params.ts";
import { mergeAdapter } from "../../../model/lora/merge_adapter.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { goldenModel } from "../../model/support/golden_model.ts";
import { logitsOf } from "../../model/support/logits_of.ts";
import { randomArray } from "../../reference/support.ts";
import { loadGolden } from "../load_golden.ts";

const [folder, base, adapter] = Deno.args;
const gpu = await openGpu();

async function writeLogits(model: Model, ids: readonly number[], place: string): Promise<void> {
  const logits = (await logitsOf(model, ids)).map((row) => [...row]);
  Deno.writeTextFileSync(`${place}/logits.json`, JSON.stringify({ ids, logits }));
}

if (base === undefined) {
  for (const [i, name] of (["llama_tied", "llama3_gqa", "qwen2", "qwen3"] as const).entries()) {
    const golden = loadGolden(name);
    const model = goldenModel(gpu, name, golden);
    const { params } = addAdapter(model, { rank: 2 + 3 * i, alpha: 5, rankStabilised: i === 2 }, i);
    for (const [j, matrix] of loraMatrices(params).entries()) {
      const values = await downloadMatrix(gpu, matrix);
      if (j % 2 === 1) uploadRows(gpu, matrix, 0, Float32Array.from(randomArray(100 * i + j, values.length, 0.3)));
    }
    refreshAdapter(gpu, model.adapter!);
    const place = `${folder}/${name}`;
    await saveAdapter(model, `${place}/adapter`, {});
    // Read again: what was written is what is compared.
    model.adapter = loadAdapter(gpu, golden.config, `${place}/adapter`);
    await writeLogits(model, golden.sequences[0], place);
    mergeAdapter(model);
    Deno.mkdirSync(`${place}/merged`);
    const sets = [{ prefix: "", params: model.params }];
    await writeParams(gpu, golden.config, sets, `${place}/merged/model.safetensors`, "F32");
  }
} else {
  const found = await findModel(gpu, base, { adapter });
  const { model, tokenizer } = found;
  const place = `${folder}/given`;
  Deno.mkdirSync(place, { recursive: true });
  const text = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.";
  await writeLogits(model, tokenizer.encode(text), place);
  Deno.symlinkSync(Deno.realPathSync(locateAdapter(adapter)), `${place}/adapter`);
  await saveModel({ model, tokenizer, source: base }, `${place}/base`, "F32", {});
  mergeAdapter(model);
  await saveModel({ model, tokenizer, source: base }, `${place}/merged`, "F32", {});
}
gpu.close();
