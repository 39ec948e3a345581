import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { saveAdapter } from "../../../model/lora/save_adapter.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { exportSafetensors } from "../../../model/files/export_model.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { addAdapter, refreshAdapter } from "../../../model/transformer/adapter.ts";
import { FUSED } from "../../../model/transformer/lora_params.ts";
import { mergeAdapter } from "../../../model/lora/merge_adapter.ts";
import { mergedWeights } from "../../../model/lora/merged_weights.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { testFolder } from "../../support/folders.ts";
import { BYTE_MODELS, byteTokenizer } from "../support/byte_models.ts";
import { logitsOf } from "../support/logits_of.ts";
import { randomModel } from "../support/small_models.ts";

const gpu = await openGpu();
const folder = await testFolder();
Deno.test.afterAll(() => gpu.close());

for (const name of ["qwen-2", "qwen-3"]) {
  Deno.test(`${name}: weights with their adapter merged as they are read are those that the device merges`, async () => {
    const { config, pre, addsBos } = BYTE_MODELS[name];
    const [base, adapter] = [`${folder}/${name}`, `${folder}/${name}-adapter`];
    const model = randomModel(gpu, config);
    await saveModel({ model, tokenizer: byteTokenizer(pre, addsBos), source: name }, base, "F32", {});
    const added = addAdapter(model, { rank: 4, alpha: 8 }, 1);
    // B starts at 0: a trained one has something to merge.
    for (const layer of added.params.lora) {
      for (const fused of FUSED) {
        const { b } = layer[fused];
        uploadRows(gpu, b, 0, Float32Array.from({ length: b.rows * b.cols }, (_, i) => Math.sin(i) / 10));
      }
    }
    refreshAdapter(gpu, added);
    await saveAdapter(model, adapter, {});
    const ids = [5, 77, 260, 12, 200, 31];
    const adapted = await logitsOf(model, ids);
    const plain = await logitsOf((await findModel(gpu, base)).model, ids);
    mergeAdapter(model);
    await saveModel(
      { model, tokenizer: byteTokenizer(pre, addsBos), source: name },
      `${base}-merged`,
      "F32",
      {},
    );
    using files = openModelFiles(base);
    const merged = mergedWeights(config, files.weights, adapter);
    using expected = openModelFiles(`${base}-merged`);
    let changed = 0;
    for (const [tensor, { elements }] of files.weights.tensors) {
      const [ours, theirs] = [readTensor(merged, tensor), readTensor(expected.weights, tensor)];
      ours.forEach((value, i) => assertAlmostEquals(value, theirs[i], 1e-6));
      // Any piece is the same as that part of the whole.
      const piece = new Float32Array(Math.min(77, elements - 3));
      merged.read(tensor, 3, piece);
      assertEquals(piece, ours.slice(3, 3 + piece.length));
      if (ours.some((value, i) => value !== readTensor(files.weights, tensor)[i])) changed++;
    }
    assertEquals(changed, 7 * config.layers);
    await exportSafetensors({ ...files, weights: merged, name }, { out: `${base}-out`, dtype: "f32" });
    merged.close();
    const exported = await logitsOf((await findModel(gpu, `${base}-out`)).model, ids);
    const distance = (a: Float32Array[], b: Float32Array[]) =>
      Math.max(...a.map((row, t) => Math.max(...row.map((value, i) => Math.abs(value - b[t][i])))));
    assert(distance(exported, adapted) < 1e-5, `${distance(exported, adapted)}`);
    assert(distance(exported, plain) > 1e-2);
  });
}

Deno.test("an adapter of another shape is refused", () => {
  using files = openModelFiles(`${folder}/qwen-3`);
  const refuse = (message: string) =>
    assertThrows(
      () => mergedWeights(files.config, files.weights, `${folder}/qwen-2-adapter`),
      UserError,
      message,
    );
  refuse("self_attn.k_proj.lora_B.weight is [32, 4], the model asks for [64, 4]");
});
