import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import { exportGguf, exportSafetensors, type ExportSource } from "../../../model/files/export_model.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { openGguf } from "../../../model/formats/gguf.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { countWeights } from "../../../model/memory/count_weights.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { testFolder } from "../../support/folders.ts";
import { BYTE_MODELS, byteTokenizer, EOS, EOT, TEMPLATE } from "../support/byte_models.ts";
import { logitsOf } from "../support/logits_of.ts";
import { randomModel } from "../support/small_models.ts";

const gpu = await openGpu();
const folder = await testFolder();
Deno.test.afterAll(() => gpu.close());

const TEXTS = ["the anthem 12 and 112", "a²b  \n c'll DON'T", "<|eot_id|>x", "naïve 日本"];

for (const [name, { config, pre, addsBos }] of Object.entries(BYTE_MODELS)) {
  const tokenizer = byteTokenizer(pre, addsBos);
  const model = randomModel(gpu, config);
  await saveModel({ model, tokenizer, source: name }, `${folder}/${name}`, "F32", { embeddingRms: 0.5 });
}

/** Opens a model of the folder for an export. */
async function withSource(name: string, use: (source: ExportSource) => Promise<void>) {
  using files = openModelFiles(`${folder}/${name}`);
  await use({ ...files, name });
}

/** The largest difference of weights, and the tensors that have one. */
function differences(one: string, other: string): Map<string, number> {
  using a = openModelFiles(one);
  using b = openModelFiles(other);
  assertEquals([...b.weights.tensors.keys()].sort(), [...a.weights.tensors.keys()].sort());
  const found = new Map<string, number>();
  for (const [name, { shape }] of a.weights.tensors) {
    assertEquals(b.weights.tensors.get(name)!.shape, shape, name);
    const [x, y] = [readTensor(a.weights, name), readTensor(b.weights, name)];
    const largest = x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
    if (largest > 0) found.set(name, largest);
  }
  return found;
}

function assertSameModel(one: string, other: string) {
  using a = openModelFiles(one);
  using b = openModelFiles(other);
  const { eosTokenIds: ends, ...shape } = a.config;
  const { eosTokenIds: otherEnds, ...otherShape } = b.config;
  assertEquals(JSON.parse(JSON.stringify(otherShape)), JSON.parse(JSON.stringify(shape)));
  assertEquals(otherEnds.toSorted(), ends.toSorted());
  for (const text of TEXTS) assertEquals(b.tokenizer.encode(text), a.tokenizer.encode(text), text);
  assertEquals([b.tokenizer.bosId, b.tokenizer.eosId], [a.tokenizer.bosId, a.tokenizer.eosId]);
  assertStringIncludes(
    JSON.stringify(b.tokenizer.files),
    JSON.stringify(TEMPLATE).slice(1, -1).replaceAll("\\", "\\\\"),
  );
}

for (const name of Object.keys(BYTE_MODELS)) {
  Deno.test(`${name}: f32 exports, as safetensors and GGUF, give back the same model to the bit`, () =>
    withSource(name, async (source) => {
      const [st, gguf] = [`${folder}/${name}-st`, `${folder}/${name}-f32.gguf`];
      await exportSafetensors(source, { out: st, dtype: "f32" });
      await exportGguf(source, { out: gguf, dtype: "f32" });
      const ids = [5, 77, 260, 12, 200, 31, 258, 99];
      const expected = await logitsOf((await findModel(gpu, `${folder}/${name}`)).model, ids);
      for (const out of [st, gguf]) {
        assertSameModel(`${folder}/${name}`, out);
        assertEquals(differences(`${folder}/${name}`, out), new Map());
        assertEquals(await logitsOf((await findModel(gpu, out)).model, ids), expected);
      }
      using files = openModelFiles(st);
      assertEquals([files.embeddingRms, files.rmsMeasured], [0.5, false]);
    }));
}

Deno.test("f16, bf16 and q8_0 exports are as close as their types allow; norms and biases of GGUF stay f32", () =>
  withSource("qwen-2", async (source) => {
    const original = `${folder}/qwen-2`;
    const { weights } = source;
    const largest = Math.max(
      ...[...weights.tensors.keys()].map((name) => Math.max(...readTensor(weights, name).map(Math.abs))),
    );
    // Half a step of the type, at the largest weight; in q8_0 the scale is an f16, too.
    const bounds = { f16: largest * 2 ** -11, bf16: largest * 2 ** -8, q8_0: largest * (1 / 254 + 2 ** -11) };
    for (const [dtype, bound] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
      const out = `${folder}/qwen-2-${dtype}.gguf`;
      await exportGguf(source, { out, dtype });
      const found = differences(original, out);
      assert(
        found.size > 0 && [...found.keys()].every((name) => /proj.weight|embed_tokens/.test(name)),
        dtype,
      );
      assert(Math.max(...found.values()) < bound, `${dtype}: ${Math.max(...found.values())}`);
    }
    await exportSafetensors(source, { out: `${folder}/qwen-2-bf16`, dtype: "bf16" });
    const found = differences(original, `${folder}/qwen-2-bf16`);
    assert(Math.max(...found.values()) < bounds.bf16);
    assertStringIncludes(Deno.readTextFileSync(`${folder}/qwen-2-bf16/config.json`), '"bfloat16"');
  }));

Deno.test("rows that are no whole blocks of q8_0 are f16, the others q8_0, vectors f32", () =>
  withSource("llama-odd", async (source) => {
    const out = `${folder}/odd.gguf`;
    await exportGguf(source, { out, dtype: "q8_0" });
    const file = openGguf(out);
    const types = new Set([...file.tensors.values()].map(({ dtype, shape }) => `${shape.at(-1)}: ${dtype}`));
    file.close();
    assertEquals([...types].sort(), ["48: F16", "48: F32", "80: F16"]);
    await withSource("qwen-2", async (even) => {
      await exportGguf(even, { out: `${folder}/even.gguf`, dtype: "q8_0" });
      const file = openGguf(`${folder}/even.gguf`);
      assertEquals(file.tensors.get("blk.0.attn_q.weight")!.dtype, "Q8_0");
      assertEquals(file.tensors.get("blk.0.attn_q.bias")!.dtype, "F32");
      assertEquals(file.metadata.get("general.quantization_version"), 2);
      file.close();
    });
  }));

Deno.test("a GGUF file says what llama.cpp asks for", () =>
  withSource("llama-3", async (source) => {
    const out = `${folder}/said.gguf`;
    await exportGguf(source, { out, dtype: "f16" });
    const { metadata, tensors, close } = openGguf(out);
    const said = Object.fromEntries([...metadata].filter(([_, value]) => !Array.isArray(value)));
    assertEquals(said, {
      "general.architecture": "llama",
      "general.type": "model",
      "general.name": "llama-3",
      "general.file_type": 1,
      "llama.vocab_size": 272,
      "llama.context_length": 512,
      "llama.embedding_length": 64,
      "llama.block_count": 2,
      "llama.feed_forward_length": 96,
      "llama.attention.head_count": 4,
      "llama.attention.head_count_kv": 2,
      "llama.attention.key_length": 16,
      "llama.attention.value_length": 16,
      "llama.attention.layer_norm_rms_epsilon": Math.fround(1e-5),
      "llama.rope.dimension_count": 16,
      "llama.rope.freq_base": 500_000,
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "llama-bpe",
      "tokenizer.ggml.bos_token_id": 261,
      "tokenizer.ggml.eos_token_id": EOT,
      "tokenizer.ggml.eot_token_id": EOS,
      "tokenizer.ggml.padding_token_id": 264,
      "tokenizer.ggml.add_bos_token": true,
      "tokenizer.chat_template": TEMPLATE,
    });
    assertEquals(
      (metadata.get("tokenizer.ggml.token_type") as number[]).slice(255, 268).join(),
      "1,1,1,1,1,1,3,3,3,3,5,5,5",
    );
    assertEquals((metadata.get("tokenizer.ggml.merges") as string[])[2], "\u0120 the");
    assertEquals(tensors.get("rope_freqs.weight")!.shape, [8]);
    assertEquals(tensors.size, 2 + 1 + 9 * 2 + 1);
    close();
  }));

Deno.test("weights above the size of a file are split over several, which open as one", () =>
  withSource("qwen-3", async (source) => {
    const out = `${folder}/shards`;
    await exportSafetensors(source, { out, dtype: "f32", shardBytes: 100_000 });
    const names = [...Deno.readDirSync(out)].map(({ name }) => name).filter((name) => /^model/.test(name))
      .sort();
    assert(names.length > 3);
    assertEquals(names[0], `model-00001-of-0000${names.length - 1}.safetensors`);
    const index = JSON.parse(Deno.readTextFileSync(`${out}/model.safetensors.index.json`));
    assertEquals(index.metadata.total_size, 4 * countWeights(source.config));
    assertEquals(differences(`${folder}/qwen-3`, out), new Map());
  }));

Deno.test("an export that fails or is stopped leaves nothing; one that would write over something is refused", () =>
  withSource("llama-3", async (source) => {
    const refuse = (run: Promise<void>, message: string) => assertRejects(() => run, UserError, message);
    const parent = `${folder}/failing`;
    await Deno.mkdir(parent);
    const stop = AbortSignal.abort();
    await assertRejects(
      () => exportSafetensors(source, { out: `${parent}/a`, dtype: "f32", signal: stop }),
      DOMException,
    );
    await assertRejects(
      () => exportGguf(source, { out: `${parent}/a.gguf`, dtype: "f32", signal: stop }),
      DOMException,
    );
    const large = {
      ...source.weights,
      read: (_name: string, _from: number, out: Float32Array) => void out.fill(1e5),
    };
    const bad = { ...source, weights: large };
    await refuse(exportSafetensors(bad, { out: `${parent}/b`, dtype: "f16" }), "F16 ends at 65,504");
    await refuse(exportGguf(bad, { out: `${parent}/b.gguf`, dtype: "f16" }), "F16 ends at 65,504");
    const { files } = builtinTokenizer();
    const lowered = { ...JSON.parse(files["tokenizer.json"]), normalizer: { type: "Lowercase" } };
    const tokenizer = loadTokenizer({ ...files, "tokenizer.json": JSON.stringify(lowered) });
    await refuse(
      exportGguf({ ...source, tokenizer }, { out: `${parent}/c.gguf`, dtype: "f16" }),
      "Cannot write the tokenizer into a GGUF",
    );
    const scaled = { ...source, config: { ...source.config, architecture: "qwen3" as const } };
    await refuse(exportGguf(scaled, { out: `${parent}/c.gguf`, dtype: "f16" }), "for llama alone");
    await refuse(exportGguf(source, { out: `${parent}/c`, dtype: "f16" }), "ends in .gguf");
    await refuse(exportSafetensors(source, { out: `${parent}/c`, dtype: "q8_0" }), "knows no such type");
    const more = { ...source, config: { ...source.config, layers: 3 } };
    await refuse(exportSafetensors(more, { out: `${parent}/d`, dtype: "f32" }), "its configuration asks for");
    await refuse(exportSafetensors(source, { out: "/proc/none/x", dtype: "f32" }), "Cannot");
    assertEquals([...Deno.readDirSync(parent)], []);
    await Deno.writeTextFile(`${parent}/taken.gguf`, "x");
    await refuse(exportGguf(source, { out: `${parent}/taken.gguf`, dtype: "f32" }), "it exists already");
    await refuse(exportSafetensors(source, { out: parent, dtype: "f32" }), "it exists already");
    assertEquals(Deno.readTextFileSync(`${parent}/taken.gguf`), "x");
  }));
