/** Weights in f16 and packed: which types they get, that packed ones give the bits of f32, and what they take in memory. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type GpuOptions, openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { readParams } from "../../../model/files/params_file.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { openGguf } from "../../../model/formats/gguf.ts";
import { ggufWeights } from "../../../model/formats/gguf_weights.ts";
import { ggufConfig } from "../../../model/formats/gguf_config.ts";
import type { TensorFile } from "../../../model/formats/tensor_file.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { typeOf } from "../../../model/transformer/params.ts";
import { createModel, freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { planWeights, weightBytes, type WeightForm } from "../../../model/weights/weight_types.ts";
import { assertSameBits } from "../../gpu/support.ts";
import { normalisedMse, randomIntegers } from "../../reference/support.ts";
import { root } from "../../support/places.ts";
import { logitsOf } from "../support/logits_of.ts";
import { packedWeights } from "../support/packed_weights.ts";
import { testWithModel } from "../support/real_models.ts";
import { SMALL } from "../support/small_models.ts";

const SHAPE: ModelConfig = { ...SMALL, hiddenSize: 64, intermediateSize: 96, tied: false };
const IDS = [...randomIntegers(3, 45, 70)];

/** Every type in every kind of matrix, over two blocks; the fused ones of the second block are of two types each. */
function mixed(name: string): string {
  if (name.includes("embed")) return "Q8_0";
  if (name.includes("lm_head")) return "Q4_1";
  if (name.includes(".0.")) return name.includes("mlp") ? "Q4_0" : "Q4_1";
  if (name.includes("v_proj") || name.includes("up_proj")) return "Q8_0";
  return name.includes("down_proj") ? "F16" : "Q4_0";
}

const flat = (rows: Float32Array[]) => Float32Array.from(rows.flatMap((row) => [...row]));

/** A model of a file's weights, held in a form. */
function load(
  gpu: Awaited<ReturnType<typeof openGpu>>,
  config: ModelConfig,
  file: TensorFile,
  form: WeightForm,
) {
  const planned = planWeights(config, file, form, "test");
  const model = createModel(gpu, config, planned.types);
  readParams(gpu, config, file, model.params, "test");
  return { ...planned, model };
}

const dtypesOf = ({ params }: Model) => [
  ...[params.embedding, params.head, params.finalNorm].map(({ dtype }) => dtype),
  ...params.layers.map(({ qkv, attentionOut, gateUp, down }) =>
    [qkv, attentionOut, gateUp, down].map(({ dtype }) => dtype).join(" ")
  ),
];

Deno.test("each matrix gets the smallest type that holds its parts; what none holds is f32, f16 if it is to be packed", () => {
  const plan = (form: WeightForm, name: (tensor: string) => string) => {
    const { types, exact } = planWeights(SHAPE, packedWeights(SHAPE, name), form, "test");
    const outer = (["embedding", "head"] as const).map((of) => typeOf(types, of, 0));
    const inner = (["qkv", "attentionOut", "gateUp", "down"] as const).map((of) => typeOf(types, of, 1));
    return [...outer, ...inner, exact].join(" ");
  };
  assertEquals(plan("exact", mixed), "q8_0 q4_1 q8_0 q4_0 q8_0 f16 true");
  assertEquals(plan("packed", mixed), "q8_0 q4_1 q8_0 q4_0 q8_0 f16 true");
  assertEquals(plan("f16", mixed), "f16 f16 f16 f16 f16 f16 false");
  assertEquals(plan("f32", mixed), "f32 f32 f32 f32 f32 f32 true");
  // Q4_1 has minima, which Q8_0 has no place for; bfloat16 reaches beyond f16.
  const odd = (name: string) =>
    name.includes("q_proj")
      ? "Q4_1"
      : name.includes("gate")
      ? "BF16"
      : name.includes("lm_head")
      ? "F32"
      : "Q4_0";
  assertEquals(plan("exact", odd), "q4_0 f32 f32 q4_0 f32 q4_0 true");
  assertEquals(plan("packed", odd), "q4_0 f16 f16 q4_0 f16 q4_0 false");
  assertEquals(plan("exact", () => "F16"), "f16 f16 f16 f16 f16 f16 true");
  assertEquals(plan("f16", () => "F16"), "f16 f16 f16 f16 f16 f16 true");
  assertThrows(
    () => plan("packed", () => "BF16"),
    UserError,
    "Cannot pack the weights of test: they are stored as BF16, some of Q8_0, Q4_0 or Q4_1 are needed",
  );
});

const DEVICES: [string, GpuOptions][] = [
  ["broadcast", { matmulFamily: "broadcast" }],
  ["narrow loads", { matmulFamily: "broadcast", forbidU64: true }],
  ["tile", { matmulFamily: "tile" }],
  ["chunks", { maxBinding: 12288 }],
];

for (const [device, options] of DEVICES) {
  Deno.test(`packed weights are the file's numbers, and their logits those of f32, to the bit: ${device}`, async () => {
    const gpu = await openGpu(options);
    const file = packedWeights(SHAPE, mixed);
    const whole = load(gpu, SHAPE, file, "f32").model;
    const packed = load(gpu, SHAPE, file, "packed");
    assertEquals(dtypesOf(packed.model), [
      "q8_0",
      "q4_1",
      "f32",
      "q4_1 q4_1 q4_0 q4_0",
      "q8_0 q4_0 q8_0 f16",
    ]);
    for (const [i, layer] of packed.model.params.layers.entries()) {
      for (const key of ["qkv", "attentionOut", "gateUp", "down"] as const) {
        const expected = await downloadMatrix(gpu, whole.params.layers[i][key]);
        assertEquals(await downloadMatrix(gpu, layer[key]), expected, `${i} ${key}`);
      }
    }
    for (const count of [1, 3, 45]) {
      const ids = IDS.slice(0, count);
      const expected = flat(await logitsOf(whole, ids));
      assert(expected.every(Number.isFinite) && expected.some((z) => Math.abs(z) > 0.1));
      assertSameBits(`${count} rows`, flat(await logitsOf(packed.model, ids)), expected);
    }
    gpu.close();
  });
}

Deno.test("logits of f16 weights lie within the rounding of those of f32", async () => {
  const gpu = await openGpu();
  const file = packedWeights(SHAPE, (name) => name.includes("up_proj") ? "BF16" : "F32");
  const expected = flat(await logitsOf(load(gpu, SHAPE, file, "f32").model, IDS));
  const error = normalisedMse(flat(await logitsOf(load(gpu, SHAPE, file, "f16").model, IDS)), expected);
  // Weights are off by up to 2^-11 of themselves.
  assert(error > 1e-10 && error < 1e-6, `${error}`);
  gpu.close();
});

Deno.test("a weight beyond f16 is refused, in a word what to do", async () => {
  const gpu = await openGpu();
  const file = packedWeights(SHAPE, () => "F32");
  const read: TensorFile["read"] = (name, from, out) => {
    file.read(name, from, out);
    if (name.endsWith("1.mlp.down_proj.weight")) out[7] = -65520;
  };
  const error = assertThrows(() => load(gpu, SHAPE, { ...file, read }, "f16"), UserError);
  assertEquals(
    error.message,
    "Cannot hold model.layers.1.mlp.down_proj.weight in f16: it has a weight of -65520, f16 ends at 65504",
  );
  load(gpu, SHAPE, { ...file, read }, "f32");
  gpu.close();
});

for (const name of ["llama3_mixed", "qwen2_mixed", "qwen3_mixed"]) {
  Deno.test(`${name}: a file of eleven types gives the bits of f32, rows of Q and K put in order`, async () => {
    const gpu = await openGpu();
    const gguf = openGguf(`${root}tests/golden/formats/${name}.gguf`);
    const config = ggufConfig(gguf);
    const file = ggufWeights(gguf, config.architecture, config.headDim);
    const ids = IDS.slice(0, 20);
    const expected = flat(await logitsOf(load(gpu, config, file, "f32").model, ids));
    const { model } = load(gpu, config, file, "exact");
    assert(dtypesOf(model).join().includes("q"), dtypesOf(model).join());
    assertSameBits("exact", flat(await logitsOf(model, ids)), expected);
    const packed = load(gpu, config, file, "packed");
    assert(!packed.exact);
    const error = normalisedMse(flat(await logitsOf(packed.model, ids)), expected);
    assert(error > 0 && error < 1e-6, `${error}`);
    gguf.close();
    gpu.close();
  });
}

Deno.test("weights take the memory that is forecast", async () => {
  const gpu = await openGpu();
  const config = { ...SHAPE, hiddenSize: 256, intermediateSize: 512, headDim: 64, maxPosition: 8 };
  const file = packedWeights(config, mixed);
  for (const form of ["f32", "f16", "exact"] as const) {
    const before = gpu.arena.bytes;
    const { types } = planWeights(config, file, form, "test");
    const model = createModel(gpu, config, types);
    const held = gpu.arena.bytes - before - model.ropeTable.storage.bytes;
    const told = weightBytes(config, types);
    assert(held >= told && held < 1.001 * told, `${form}: ${held} held, ${told} told`);
    freeModel(model);
  }
  gpu.close();
});

testWithModel(
  "smollm2-135m-instruct",
  "SmolLM2-135M packed: a fifth of the memory, the logits of f32 to the bit; f16 within its rounding",
  async (folder) => {
    const gpu = await openGpu();
    const all: Record<string, Float32Array> = {};
    const bytes: Record<string, number> = {};
    for (const weights of ["f32", "exact", "f16"] as const) {
      const found = await findModel(gpu, folder, { weights });
      assertEquals([found.weights, found.exact], [weights, weights !== "f16"]);
      bytes[weights] = found.model.params.layers.reduce(
        (sum, { gateUp, qkv }) =>
          [gateUp, qkv].flatMap(({ chunks, scales = [] }) => [...chunks, ...scales])
            .reduce((sum, { storage }) => sum + storage.bytes, sum),
        0,
      );
      all[weights] = flat(await logitsOf(found.model, IDS.map((id) => 700 * id)));
      freeModel(found.model);
    }
    gpu.close();
    assertEquals(bytes.f16 / bytes.f32, 1 / 2);
    assertEquals(bytes.exact / bytes.f32, 5 / 32);
    assertSameBits("packed", all.exact, all.f32);
    const error = normalisedMse(all.f16, all.f32);
    assert(error > 0 && error < 1e-6, `${error}`);
  },
);
