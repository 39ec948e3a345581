/** Block types, and whole models from safetensors and GGUF, against the gguf package and transformers (golden/formats/). */
import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { readParams } from "../../../model/files/params_file.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { ELEMENT_TYPES } from "../../../model/formats/element_types.ts";
import { openGguf } from "../../../model/formats/gguf.ts";
import { ggufWeights } from "../../../model/formats/gguf_weights.ts";
import { readElements } from "../../../model/formats/read_elements.ts";
import { openWeights } from "../../../model/formats/safetensors.ts";
import { readTensor, type TensorFile } from "../../../model/formats/tensor_file.ts";
import { ggufConfig } from "../../../model/formats/gguf_config.ts";
import { parseHfConfig, readModelConfig } from "../../../model/files/hf_config.ts";
import { createModel, freeModel } from "../../../model/transformer/transformer.ts";
import { assertSameBits } from "../../gpu/support.ts";
import { goldenFolder, loadGolden } from "../../golden/load_golden.ts";
import { root } from "../../support/places.ts";
import { logitsOf } from "../support/logits_of.ts";

const FOLDER = `${root}tests/golden/formats/`;
const TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"];

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

interface MixedGolden {
  ids: number[];
  logits: { shape: number[]; f32: string };
  config: Record<string, unknown>;
}
const mixed: Record<string, MixedGolden> = JSON.parse(Deno.readTextFileSync(`${FOLDER}logits.json`));

Deno.test("all eleven GGUF types equal the reference dequantisation to the bit, whole and in any range", () => {
  assertEquals(Object.keys(ELEMENT_TYPES), TYPES);
  const file = openGguf(`${FOLDER}types.gguf`);
  const read = (name: string, from: number, length: number) => {
    const out = new Float32Array(length);
    readElements(file.bytes, file.tensors.get(name)!, from, out);
    return out;
  };
  for (const type of TYPES) {
    assertEquals(file.tensors.get(type)!.dtype, type);
    const expected = read(`${type}.expected`, 0, 3 * 512);
    assertSameBits(type, read(type, 0, 3 * 512), expected);
    for (const [from, to] of [[0, 1], [31, 33], [255, 257], [5, 1530], [1, 31], [300, 1536], [1535, 1536]]) {
      assertSameBits(`${type} ${from} to ${to}`, read(type, from, to - from), expected.slice(from, to));
    }
  }
  file.close();
});

/** As JSON: absent and undefined are the same here. */
const plain = (config: ModelConfig) => JSON.parse(JSON.stringify(config));

async function logitsFrom(weights: TensorFile, config: ModelConfig, ids: readonly number[]) {
  const model = createModel(gpu, config);
  readParams(gpu, config, weights, model.params, "golden");
  const rows = await logitsOf(model, ids);
  freeModel(model);
  return rows;
}

function assertLogits(what: string, rows: Float32Array[], expected: ArrayLike<number>) {
  const width = rows[0].length;
  assertEquals(rows.length * width, expected.length);
  let largest = 0;
  rows.forEach((row, t) =>
    row.forEach((z, i) => largest = Math.max(largest, Math.abs(z - expected[t * width + i])))
  );
  if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) console.error(`ERROR ${largest.toExponential(1)} ${what}`);
  assert(largest < 1e-4, `${what}: logits differ by ${largest}`);
}

for (const name of ["llama3_gqa", "qwen2", "qwen3"] as const) {
  Deno.test(`${name}: logits from safetensors and from GGUF within 1e-4 of transformers`, async () => {
    const golden = loadGolden(name);
    using stack = new DisposableStack();
    const safetensors = stack.adopt(openWeights(goldenFolder(name)), (file) => file.close());
    const gguf = stack.adopt(openGguf(`${FOLDER}${name}_f32.gguf`), (file) => file.close());
    const config = ggufConfig(gguf);
    const folderConfig = readModelConfig(goldenFolder(name));
    // The fixtures have no tokenizer, which is where a GGUF file names these.
    const unnamed = { eosTokenIds: [], bosTokenId: undefined, usedVocabSize: config.vocabSize };
    assertEquals(plain(config), plain({ ...folderConfig, ...unnamed }));
    const view = ggufWeights(gguf, config.architecture, config.headDim);
    assertEquals([...view.tensors.keys()].sort(), [...safetensors.tensors.keys()].sort());
    for (const tensor of view.tensors.keys()) {
      assertSameBits(tensor, readTensor(view, tensor), readTensor(safetensors, tensor));
    }
    for (const [i, ids] of golden.sequences.entries()) {
      assertLogits(
        `${name} safetensors`,
        await logitsFrom(safetensors, folderConfig, ids),
        golden.logits[i],
      );
      assertLogits(`${name} GGUF`, await logitsFrom(view, config, ids), golden.logits[i]);
    }
  });
}

for (const [name, { ids, logits, config: hf }] of Object.entries(mixed)) {
  Deno.test(`${name}: logits of quantised weights within 1e-4 of transformers on the dequantised ones`, async () => {
    const gguf = openGguf(`${FOLDER}${name}.gguf`);
    const config = ggufConfig(gguf);
    const dtypes = new Set([...gguf.tensors.values()].map(({ dtype }) => dtype));
    assert(dtypes.size >= 6, [...dtypes].join());
    assertEquals(plain(config), plain({ ...parseHfConfig(hf), eosTokenIds: [] }));
    const weights = ggufWeights(gguf, config.architecture, config.headDim);
    const expected = new Float32Array(Uint8Array.fromBase64(logits.f32).buffer);
    assertLogits(name, await logitsFrom(weights, config, ids), expected);
    gguf.close();
  });
}
