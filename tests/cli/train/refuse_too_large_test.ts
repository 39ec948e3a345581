import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { refuseTooLarge } from "../../../cli/train/refuse_too_large.ts";
import { trainingShape } from "../../../cli/train/check_memory.ts";
import { readRecipe } from "../../../cli/settings/find_recipe.ts";
import { resolveConfig } from "../../../cli/settings/resolve_config.ts";
import { trainSettings } from "../../../cli/train/train_settings.ts";
import { SOME_GPU } from "../../../gpu/device/dry_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { parseHfConfig } from "../../../model/files/hf_config.ts";
import { RECIPES } from "../../../rl/recipes/recipes.ts";
import { trainingNeed } from "../../../rl/memory/training_need.ts";
import type { TrainingShape } from "../../../rl/memory/training_shape.ts";
import { testFolder } from "../../support/folders.ts";
import { byteModel } from "../support/model_folder.ts";
import { fails } from "../support/run_softcot.ts";

const llama = { model_type: "llama", num_key_value_heads: 8, head_dim: 128, vocab_size: 128256 };
/** Shapes as their models' config.json state them. */
const SHAPES = {
  "meta-llama/Llama-3.2-3B-Instruct": {
    ...llama,
    hidden_size: 3072,
    num_hidden_layers: 28,
    num_attention_heads: 24,
    intermediate_size: 8192,
    tie_word_embeddings: true,
  },
  "meta-llama/Llama-3.1-8B-Instruct": {
    ...llama,
    hidden_size: 4096,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    intermediate_size: 14336,
  },
  "Qwen/Qwen2.5-3B-Instruct": {
    model_type: "qwen2",
    vocab_size: 151936,
    hidden_size: 2048,
    num_hidden_layers: 36,
    num_attention_heads: 16,
    num_key_value_heads: 2,
    intermediate_size: 11008,
    tie_word_embeddings: true,
  },
};
const configOf = (name: string) => parseHfConfig(SHAPES[name as keyof typeof SHAPES]);
const values = (name: string) => resolveConfig(trainSettings, { recipe: readRecipe(name) });
const LENGTHS = { promptTokens: 300 };
const GIB = 2 ** 30;

Deno.test("every published recipe states the memory that its training is forecast to take", async () => {
  const published = Object.keys(RECIPES).filter((name) => !name.startsWith("sums"));
  assertEquals(published.length, 5);
  for (const name of published) {
    const stated = /Needs about (\d+) GiB/.exec(RECIPES[name])?.[1];
    const { model } = values(name);
    const { total } = await trainingNeed(configOf(model), trainingShape(values(name), LENGTHS));
    assert(
      Math.abs(total / GIB - Number(stated)) <= 0.05 * Number(stated),
      `${name}: ${total / GIB} GiB, not ${stated}`,
    );
  }
});

Deno.test("a full training that does not fit is refused with the figures, and --lora is named", async () => {
  const { model } = values("gsm8k-llama8b");
  const memory = { free: 79 * GIB, source: "nvidia-smi" };
  const shape = trainingShape(values("gsm8k-llama8b"), LENGTHS);
  const refuse = (shape: TrainingShape, free = memory) =>
    refuseTooLarge(SOME_GPU, configOf(model), model, shape, free);
  const error = await assertRejects(() => refuse(shape), UserError);
  assertStringIncludes(error.message, "Cannot train meta-llama/Llama-3.1-8B-Instruct: it needs 1");
  assertStringIncludes(error.message, "79.0 GiB are free by nvidia-smi");
  assertStringIncludes(error.hint!, "--lora needs about");
  const adapter = { ...shape, rank: 16 };
  await refuse(adapter);
  const small = { ...memory, free: 20 * GIB };
  const none = await assertRejects(() => refuse(adapter, small), UserError);
  assertStringIncludes(none.hint!, "even with --lora");
});

/** Puts a file that says it holds a model of this shape in place of the weights; all of it is one hole. */
function writeHole(model: string, d: number, f: number, layers: number): void {
  const config = JSON.parse(Deno.readTextFileSync(`${model}/config.json`));
  const shape = {
    hidden_size: d,
    intermediate_size: f,
    num_hidden_layers: layers,
    head_dim: d / 2,
    num_key_value_heads: 2,
  };
  Deno.writeTextFileSync(`${model}/config.json`, JSON.stringify({ ...config, ...shape }));
  const block = {
    "input_layernorm": [d],
    "post_attention_layernorm": [d],
    "mlp.gate_proj": [f, d],
    "mlp.up_proj": [f, d],
    "mlp.down_proj": [d, f],
    "self_attn.q_proj": [d, d],
    "self_attn.k_proj": [d, d],
    "self_attn.v_proj": [d, d],
    "self_attn.o_proj": [d, d],
  };
  const shapes: [string, number[]][] = [["model.embed_tokens.weight", [config.vocab_size, d]], [
    "model.norm.weight",
    [d],
  ]];
  for (let i = 0; i < layers; i++) {
    for (const [name, shape] of Object.entries(block)) {
      shapes.push([`model.layers.${i}.${name}.weight`, shape]);
    }
  }
  Deno.writeTextFileSync(`${model}/softcot.json`, '{ "embeddingRms": 0.02 }');
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of shapes) {
    const begin = end;
    end += 2 * shape.reduce((product, n) => product * n, 1);
    header[name] = { dtype: "F16", shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(8 + json.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(json.length), true);
  start.set(json, 8);
  Deno.writeFileSync(`${model}/model.safetensors`, start);
  Deno.truncateSync(`${model}/model.safetensors`, start.length + end);
}

Deno.test("train refuses before it reads a weight of what cannot fit", async () => {
  const folder = await testFolder();
  const model = await byteModel(folder);
  writeHole(model, 16384, 65536, 40);
  const args = ["train", "--model", model, "--task", "sums", "--out", `${folder}/run`];
  await fails(args, 1, `error: Cannot train ${model}: it needs `, "TiB", "hint: ");
});

Deno.test("as a process: more rollouts than anybody has use for, and rows and thoughts that are more than a binding holds, are refused at once", async () => {
  const out = `${await testFolder()}/run`;
  const refused = (flags: string[], ...said: string[]) =>
    fails(["train", ...flags, "--out", out], 1, ...said);
  for (const flags of [["--group", "1000000"], ["--group", "100000000"], ["--questions", "1000000"]]) {
    await refused(flags, "at most 16384 are possible", "hint: lower --questions or --group");
  }
  const rows = ["--thinking", "hard", "--questions", "16", "--group", "256", "--micro-rows", "200000"];
  await refused(rows, "Cannot put ", " tokens through an update at once", "hint: --micro-rows 9");
  const many = ["--questions", "16", "--group", "256", "--max-thinking", "150"];
  await refused(many, "Cannot keep the thoughts of an update", "one binding of this device holds");
});
