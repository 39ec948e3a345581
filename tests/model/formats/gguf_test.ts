/** What a GGUF file's metadata and tensors become: shape, scaling, end tokens, order of rows; and which file a folder stands for. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { bytesOfElements } from "../../../model/formats/element_types.ts";
import { type GgufFile, openGguf } from "../../../model/formats/gguf.ts";
import { ggufWeights } from "../../../model/formats/gguf_weights.ts";
import { createGguf, type TypedValue } from "../../../model/formats/gguf_writer.ts";
import { openSafetensors } from "../../../model/formats/safetensors.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { createSafetensors } from "../../../model/formats/safetensors_writer.ts";
import { openLlama2c } from "../../../model/formats/llama2c.ts";
import { ggufConfig } from "../../../model/formats/gguf_config.ts";
import { locateModel } from "../../../model/files/locate_model.ts";
import { scaledFrequency } from "../../../model/transformer/rope_table.ts";
import { testFolder } from "../../support/folders.ts";
import { llama2cFiles } from "../support/small_model_files.ts";

const folder = await testFolder();

const u32 = (value: number): TypedValue => ({ type: "u32", value });
const f32 = (value: number): TypedValue => ({ type: "f32", value });
const text = (value: string): TypedValue => ({ type: "string", value });

const KEYS: Record<string, TypedValue> = {
  ...{ block_count: u32(1), context_length: u32(4096), embedding_length: u32(64) },
  ...{ feed_forward_length: u32(96), "attention.head_count": u32(4), "attention.head_count_kv": u32(2) },
  ...{ "attention.layer_norm_rms_epsilon": f32(1e-5), "rope.freq_base": f32(500_000) },
};

interface Changes {
  architecture?: string;
  /** Keys below the architecture's name, and whole ones; undefined leaves one out. */
  keys?: Record<string, TypedValue | undefined>;
  whole?: Record<string, TypedValue>;
  tensors?: Record<string, { shape: number[]; values?: ArrayLike<number> }>;
}

/** A file of a few tensors with these changes. */
function makeGguf({ architecture = "llama", keys = {}, whole = {}, tensors = {} }: Changes): GgufFile {
  const path = `${folder}/made.gguf`;
  const metadata = new Map<string, TypedValue>([["general.architecture", text(architecture)]]);
  for (const [key, value] of Object.entries({ ...KEYS, ...keys })) {
    if (value !== undefined) metadata.set(`${architecture}.${key}`, value);
  }
  for (const [key, value] of Object.entries(whole)) metadata.set(key, value);
  const all = { "token_embd.weight": { shape: [10, 64] }, ...tensors };
  const specs = Object.entries(all).map(([name, { shape }]) => ({ name, shape, dtype: "F32" as const }));
  const writer = createGguf(path, metadata, specs);
  for (
    const [name, { shape, values }] of Object.entries<{ shape: number[]; values?: ArrayLike<number> }>(all)
  ) {
    const elements = shape.reduce((product, n) => product * n, 1);
    writer.write(name, Float32Array.from(values ?? Array.from({ length: elements }, (_, i) => i / 8)));
  }
  writer.finish();
  const gguf = openGguf(path);
  gguf.close();
  // Reads go on from memory, so that no test has to close it.
  return openGguf(Deno.readFileSync(path), "made.gguf");
}

const configOf = (changes: Changes) => ggufConfig(makeGguf(changes));

Deno.test("GGUF: metadata becomes the shape, with the defaults of the format", () => {
  assertEquals(JSON.parse(JSON.stringify(configOf({}))), {
    ...{ architecture: "llama", vocabSize: 10, hiddenSize: 64, layers: 1, heads: 4, kvHeads: 2, headDim: 16 },
    ...{ intermediateSize: 96, normEps: 1e-5, ropeTheta: 500_000, tied: true, qkvBias: false, qkNorm: false },
    ...{ maxPosition: 4096, eosTokenIds: [], usedVocabSize: 10 },
  });
  const qwen = configOf({
    architecture: "qwen3",
    keys: {
      ...{
        "attention.key_length": u32(32),
        "attention.value_length": u32(32),
        "attention.head_count_kv": undefined,
      },
      ...{ "rope.freq_base": undefined, "attention.layer_norm_rms_epsilon": f32(1e-6) },
    },
    tensors: { "output.weight": { shape: [10, 64] } },
  });
  assertEquals([qwen.headDim, qwen.kvHeads, qwen.qkNorm, qwen.tied], [32, 4, true, false]);
  assertEquals([qwen.ropeTheta, qwen.normEps], [10_000, 1e-6]);
});

Deno.test("GGUF: what is not supported is refused by name", () => {
  const refuse = (changes: Changes, message: string) => {
    const error = assertThrows(() => configOf(changes), UserError, message);
    assert(error.message.startsWith("Cannot open the model"), error.message);
  };
  refuse({ architecture: "phi3" }, 'its architecture is "phi3", one of llama, qwen2, qwen3 is needed');
  refuse({ architecture: "qwen3moe" }, '"qwen3moe"');
  refuse({ keys: { expert_count: u32(8) } }, "mixture of experts");
  refuse({ keys: { "attention.sliding_window": u32(4096) } }, "sliding window");
  refuse({ keys: { "rope.dimension_count": u32(8) } }, "llama.rope.dimension_count is 8");
  refuse({ keys: { "attention.value_length": u32(8) } }, "llama.attention.value_length is 8");
  refuse({ keys: { "rope.scaling.type": text("yarn") } }, "llama.rope.scaling.type is yarn, linear or none");
  refuse({ keys: { block_count: undefined } }, "llama.block_count is not given");
  refuse({ keys: { "attention.head_count": u32(5) } }, "llama.attention.key_length is 12.8");
  refuse({ keys: { "attention.head_count_kv": u32(3) } }, "4 heads share 3");
  refuse({ keys: { "attention.layer_norm_rms_epsilon": f32(0) } }, "a number above 0");
  refuse({ whole: { "split.count": u32(3) } }, "one of several parts");
  refuse({ tensors: { "token_embd.weight": { shape: [64] } } }, "no matrix token_embd.weight");
  const unknown = makeGguf({ tensors: { "blk.0.ffn_gate_exps.weight": { shape: [2, 4] } } });
  assertThrows(() => ggufWeights(unknown, "llama", 16), UserError, '"blk.0.ffn_gate_exps.weight"');
});

Deno.test("GGUF: end tokens are those stated and those of known names; padding of the vocabulary is not in use", () => {
  const tokens = ["a", "<|im_end|>", "<|endoftext|>", "b", "<|eot_id|>", "[PAD5]", "[PAD6]"];
  const tokenizer = (more: Record<string, TypedValue>): Changes => ({
    whole: {
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.token_type": { type: "i32s", value: [1, 3, 3, 1, 1, 5, 5] },
      ...more,
    },
  });
  const config = configOf(tokenizer({
    "tokenizer.ggml.eos_token_id": u32(1),
    "tokenizer.ggml.bos_token_id": u32(3),
  }));
  // <|eot_id|> is no control token here.
  assertEquals([config.eosTokenIds, config.bosTokenId, config.usedVocabSize], [[1, 2], 3, 5]);
  const eot = configOf(tokenizer({ "tokenizer.ggml.eot_token_id": u32(0) }));
  assertEquals(eot.eosTokenIds.toSorted(), [0, 1, 2]);
  const tooMany = configOf.bind(null, {
    whole: {
      "tokenizer.ggml.tokens": { type: "strings", value: Array(11).fill("x") },
      "tokenizer.ggml.token_type": { type: "i32s", value: Array(11).fill(1) },
    },
  });
  assertThrows(tooMany, UserError, "11 tokens for an embedding of 10 rows");
});

/** Divisors of the frequencies by the formula of llama.cpp's converter. */
function divisorsOf(
  headDim: number,
  theta: number,
  factor: number,
  context: number,
  low = 1,
  high = 4,
): number[] {
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** (2 * i / headDim);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

Deno.test("GGUF: rope_freqs.weight gives back Llama 3's scaling; linear scaling is read; others are refused", () => {
  const scalingOf = (values: number[], keys: Record<string, TypedValue> = {}) =>
    configOf({
      keys: {
        "attention.key_length": u32(values.length * 2),
        "attention.value_length": u32(values.length * 2),
        ...keys,
      },
      tensors: { "rope_freqs.weight": { shape: [values.length], values } },
    }).ropeScaling;
  // Llama 3.2 1B, Llama 3.2 3B and Llama 3.1 8B; tiny heads, of which few or no frequencies are blended.
  const cases = [[64, 32, 8192], [128, 32, 8192], [128, 8, 8192], [16, 4, 64], [32, 8, 64], [8, 8, 8192]];
  for (const [headDim, factor, context] of cases) {
    const divisors = divisorsOf(headDim, 500_000, factor, context);
    const scaling = scalingOf(divisors);
    assert(scaling?.type === "llama3");
    assertEquals([scaling.factor, scaling.lowFreqFactor, scaling.highFreqFactor], [factor, 1, 4]);
    if (headDim >= 64) assertEquals(scaling.originalMaxPosition, context);
    divisors.forEach((divisor, i) => {
      const frequency = 500_000 ** (-2 * i / headDim);
      assert(Math.abs(frequency / scaledFrequency(scaling, frequency) / divisor - 1) < 1e-5);
    });
  }
  assertEquals(scalingOf(Array(8).fill(1)), undefined);
  assertThrows(() => scalingOf([1, 2, 1, 8, 3, 1, 1, 1]), UserError, "does not give");
  assertThrows(() => scalingOf([1, NaN, 1, 8]), UserError, "does not give");
  assertThrows(
    () => configOf({ tensors: { "rope_freqs.weight": { shape: [7] } } }),
    UserError,
    "7 divisors, one for each of 8 frequencies",
  );
  const linear = { "rope.scaling.type": text("linear"), "rope.scaling.factor": f32(2.5) };
  assertEquals(configOf({ keys: linear }).ropeScaling, { type: "linear", factor: 2.5 });
  assertEquals(configOf({ keys: { ...linear, "rope.scaling.type": text("none") } }).ropeScaling, undefined);
});

/** Rows whose every element says where it is stored. */
const numbered = (rows: number, cols: number) =>
  Array.from({ length: rows * cols }, (_, i) => Math.floor(i / cols));

Deno.test("GGUF: rows of Q and K change places for llama alone, in pieces of any size, converted or as stored", () => {
  // Two heads of 8: stored row 2i + j is row i + 4j of the head.
  const expected = [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15];
  const tensors = {
    "blk.0.attn_q.weight": { shape: [16, 3], values: numbered(16, 3) },
    "blk.0.attn_k.weight": { shape: [8, 3], values: numbered(8, 3) },
    "blk.0.attn_v.weight": { shape: [8, 3], values: numbered(8, 3) },
    "blk.0.attn_q.bias": { shape: [16], values: numbered(16, 1) },
  };
  const rowsOf = (values: Float32Array, cols: number) => [...values].filter((_, i) => i % cols === 0);
  for (const architecture of ["llama", "qwen2"]) {
    const view = ggufWeights(makeGguf({ architecture, tensors }), architecture, 8);
    const isLlama = architecture === "llama";
    const place = (rows: number[]) => isLlama ? rows : rows.toSorted((a, b) => a - b);
    const q = readTensor(view, "model.layers.0.self_attn.q_proj.weight");
    assertEquals(rowsOf(q, 3), place(expected));
    assertEquals(
      rowsOf(readTensor(view, "model.layers.0.self_attn.k_proj.weight"), 3),
      place(expected.slice(0, 8)),
    );
    assertEquals(rowsOf(readTensor(view, "model.layers.0.self_attn.v_proj.weight"), 3), numbered(8, 1));
    assertEquals([...readTensor(view, "model.layers.0.self_attn.q_proj.bias")], place(expected));
    for (const [from, to] of [[0, 1], [2, 7], [20, 31], [1, 48], [47, 48]]) {
      const part = new Float32Array(to - from);
      view.read("model.layers.0.self_attn.q_proj.weight", from, part);
      assertEquals(part, q.slice(from, to));
    }
    const stored = new Uint8Array(5 * bytesOfElements("F32", 3));
    view.readStored!("model.layers.0.self_attn.q_proj.weight", 6, stored);
    assertEquals(new Float32Array(stored.buffer), q.slice(18, 33));
  }
});

Deno.test("rows as they are stored: of safetensors and of llama2.c", () => {
  const path = `${folder}/x.safetensors`;
  const writer = createSafetensors(path, [{ name: "x", dtype: "F16", shape: [4, 3] }]);
  writer.write("x", Float32Array.from({ length: 12 }, (_, i) => i));
  writer.finish();
  const file = openSafetensors(path);
  const rows = new Uint8Array(12);
  file.readStored!("x", 1, rows);
  assertEquals([...new Float16Array(rows.buffer)], [3, 4, 5, 6, 7, 8]);
  assertThrows(() => file.readStored!("x", 3, rows), Error, "from row 3 on");
  assertThrows(() => file.readStored!("x", 0, rows.subarray(1)), Error, "rows of 6");
  assertThrows(() => file.readStored!("y", 0, rows), UserError, "no tensor");
  file.close();

  const { weights } = openLlama2c(llama2cFiles()["small.bin"]);
  const [name, size] = ["model.layers.1.self_attn.q_proj.weight", 8 * 8];
  const bytes = new Uint8Array(4 * size);
  weights.readStored!(name, 0, bytes);
  assertEquals(new Float32Array(bytes.buffer), readTensor(weights, name));
  const stored = new Float32Array(size);
  const { begin } = weights.tensors.get(name)!;
  new Uint8Array(stored.buffer).set(llama2cFiles()["small.bin"].subarray(begin, begin + 4 * size));
  assertEquals(readTensor(weights, name).subarray(8, 16), stored.subarray(16, 24));
});

Deno.test("a folder stands for its only .gguf or .bin file; several, or none, are told", () => {
  const place = Deno.makeTempDirSync({ dir: folder });
  const put = (name: string) => Deno.writeTextFileSync(`${place}/${name}`, "x");
  put("tok512.bin");
  put("tokenizer.bin");
  put("pytorch_model.bin");
  assertThrows(() => locateModel(place), UserError, "then for a .gguf or .bin file; none is there");
  put("a.bin");
  assertEquals(locateModel(place), { format: "llama2c", path: `${place}/a.bin` });
  put("b.gguf");
  const error = assertThrows(() => locateModel(place), UserError, "it holds a.bin, b.gguf, exactly one");
  assert(error.hint?.includes(`${place}/a.bin`));
  assertEquals(locateModel(`${place}/b.gguf`), { format: "gguf", path: `${place}/b.gguf` });
  put("config.json");
  Deno.removeSync(`${place}/a.bin`);
  // The hub's GGUF repositories have a config.json, too.
  assertEquals(locateModel(place).format, "gguf");
  put("model.safetensors");
  assertEquals(locateModel(place), { format: "huggingface", path: place });
  assertThrows(
    () => locateModel(`${place}/model.safetensors`),
    UserError,
    "it is a file, a folder, .gguf or .bin",
  );
  assertThrows(() => locateModel("org/no-such-model"), UserError, "there is no such folder or file");
});
