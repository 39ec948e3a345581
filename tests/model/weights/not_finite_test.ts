/** Weights that are no finite numbers are refused wherever weights come in or go out. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { countWeights } from "../../../model/memory/count_weights.ts";
import { notFiniteIn } from "../../../model/weights/not_finite_in.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { refuseNotFinite, refuseStoredNotFinite } from "../../../model/weights/refuse_not_finite.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { testFolder } from "../../support/folders.ts";
import { randomModel, tokenizer } from "../support/small_models.ts";

const { gpu } = await openTestGpu();
const folder = await testFolder();

/** A saved model of which one weight, that of the last norm, is changed in the file. */
async function spoilt(dtype: "F32" | "F16", bits: number): Promise<string> {
  const model = randomModel(gpu);
  const place = `${folder}/${dtype}-${bits}`;
  await saveModel({ model, tokenizer, source: "test" }, place, dtype, { embeddingRms: 0.1 });
  freeModel(model);
  const path = `${place}/model.safetensors`;
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  const header = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + Number(view.getBigUint64(0, true)))),
  );
  const at = 8 + Number(view.getBigUint64(0, true)) +
    header["model.layers.1.mlp.down_proj.weight"].data_offsets[1];
  if (dtype === "F32") view.setUint32(at - 4, bits, true);
  else view.setUint16(at - 2, bits, true);
  Deno.writeFileSync(path, bytes);
  return place;
}

for (
  const [dtype, bits, told] of [
    ["F32", 0x7fc00000, "NaN"],
    ["F32", 0x7f800000, "Infinity"],
    ["F32", 0xff800000, "-Infinity"],
    ["F16", 0x7e00, "NaN"],
    ["F16", 0x7c00, "Infinity"],
  ] as const
) {
  Deno.test(`a model with ${told} among its ${dtype} weights is not loaded, however they are held`, async () => {
    const place = await spoilt(dtype, bits);
    for (const weights of ["f32", "exact", "f16"] as const) {
      const error = await assertRejects(() => findModel(gpu, place, { weights }), UserError);
      assert(error.message.includes("model.layers.1.mlp.down_proj.weight"), error.message);
      assert(error.message.includes(told), error.message);
    }
    using files = openModelFiles(place);
    const seen: number[] = [];
    const names = [...files.weights.tensors.keys()];
    const tensor = "model.layers.1.mlp.down_proj.weight";
    const of = files.weights.tensors.get(tensor)!.elements;
    assertEquals(notFiniteIn(files.weights, names, (done) => seen.push(done)), [{
      tensor,
      notFinite: 1,
      of,
    }]);
    assertEquals(seen.at(-1), countWeights(files.config));
  });
}

Deno.test("weights that are not finite are not saved", async () => {
  const model = randomModel(gpu);
  uploadRows(gpu, model.params.finalNorm, 0, new Float32Array(model.config.hiddenSize).fill(NaN));
  await assertRejects(
    () => saveModel({ model, tokenizer, source: "test" }, `${folder}/no`, "F32", { embeddingRms: 0.1 }),
    UserError,
    "Cannot save the weights: model.norm.weight holds NaN",
  );
  freeModel(model);
});

Deno.test("largest and smallest finite numbers pass, also where their sum is large", () => {
  const most = Float32Array.from({ length: 1000 }, (_, i) => i % 3 === 0 ? -3.4e38 : 3.4e38);
  refuseNotFinite(most, "x", "load");
  refuseNotFinite(new Float32Array(0), "x", "load");
  assertThrows(
    () => refuseNotFinite(Float32Array.of(Infinity, -Infinity), "x", "load"),
    UserError,
    "Infinity",
  );
  refuseStoredNotFinite(new Uint8Array(Uint16Array.of(0x7bff, 0xfbff, 0).buffer), "F16", "x", "load");
});

Deno.test("of blocks the scales are looked at, and of Q4_1 the least values: quants may be any bits", () => {
  for (const [type, bytes, places] of [["Q8_0", 34, [0]], ["Q4_0", 18, [0]], ["Q4_1", 20, [0, 2]]] as const) {
    const blocks = new Uint8Array(3 * bytes).fill(0xff);
    const view = new DataView(blocks.buffer);
    for (let b = 0; b < 3; b++) for (const place of places) view.setUint16(b * bytes + place, 0x3c00, true);
    refuseStoredNotFinite(blocks, type, "x", "load");
    for (const place of places) {
      view.setUint16(2 * bytes + place, 0xfc00, true);
      assertThrows(() => refuseStoredNotFinite(blocks, type, "x", "load"), UserError, "Infinity");
      view.setUint16(2 * bytes + place, 0x3c00, true);
    }
  }
});
