/** Ctrl-C ends whatever is being opened, fetched, hashed or judged within three seconds, however large it claims to be. */
import { assert } from "@std/assert";
import { softcotCommand, told } from "../cli/support/run_softcot.ts";
import { byteModel } from "../cli/support/model_folder.ts";
import { byteLevelFiles } from "../model/support/byte_level_files.ts";
import { huggingFaceFiles } from "../model/support/small_model_files.ts";
import { testFolder } from "../support/folders.ts";

const folder = await testFolder();

/** Long enough for the program to be at work, even on a busy machine; all that follows would take far longer. */
const BEGUN = 2500;
const WITHIN = 3000;

/** A file of mostly nothing, which costs no disk: a few bytes, and zeros up to its size. */
function sparse(path: string, bytes: Uint8Array, size: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  file.writeSync(bytes);
  file.truncateSync(size);
}

/** A model whose embedding has 60 GB: its norm is measured as it is opened. */
function hugeModel(): string {
  const place = `${folder}/huge`;
  Deno.mkdirSync(place);
  const files = huggingFaceFiles(false);
  const config = JSON.parse(new TextDecoder().decode(files["config.json"]));
  const [rows, width] = [1_000_000, 16_384];
  const wide = { ...config, vocab_size: rows, hidden_size: width };
  Deno.writeTextFileSync(`${place}/config.json`, JSON.stringify(wide));
  for (const [name, text] of Object.entries(byteLevelFiles({ special: ["<|end|>"] }))) {
    Deno.writeTextFileSync(`${place}/${name}`, text);
  }
  const { header, size } = headerOf(wide);
  sparse(`${place}/model.safetensors`, header, size);
  return place;
}

/** The head of a safetensors file with the tensors of a model of this shape. */
function headerOf(config: Record<string, number>): { header: Uint8Array; size: number } {
  const { vocab_size: V, hidden_size: d, intermediate_size: f, num_hidden_layers: layers } = config;
  const { num_attention_heads: heads, num_key_value_heads: kv } = config;
  const headDim = config.head_dim ?? d / heads;
  const shapes: Record<string, number[]> = {
    "model.embed_tokens.weight": [V, d],
    "model.norm.weight": [d],
    "lm_head.weight": [V, d],
  };
  for (let i = 0; i < layers; i++) {
    const named = (name: string) => `model.layers.${i}.${name}.weight`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"]) shapes[named(norm)] = [d];
    shapes[named("self_attn.q_proj")] = [heads * headDim, d];
    for (const part of ["k_proj", "v_proj"]) shapes[named(`self_attn.${part}`)] = [kv * headDim, d];
    shapes[named("self_attn.o_proj")] = [d, heads * headDim];
    for (const part of ["gate_proj", "up_proj"]) shapes[named(`mlp.${part}`)] = [f, d];
    shapes[named("mlp.down_proj")] = [d, f];
  }
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const from = end;
    end += shape.reduce((product, side) => product * side, 4);
    return [name, { dtype: "F32", shape, data_offsets: [from, end] }];
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(8 + text.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(text.length), true);
  header.set(text, 8);
  return { header, size: header.length + end };
}

/** A cached model with a blob of 60 GB, to be hashed. */
function hugeCache(): string {
  const repo = `${folder}/hub/models--org--name`;
  const commit = "0".repeat(40);
  for (const part of ["refs", "blobs", `snapshots/${commit}`]) {
    Deno.mkdirSync(`${repo}/${part}`, { recursive: true });
  }
  Deno.writeTextFileSync(`${repo}/refs/main`, commit);
  const blob = "a".repeat(64);
  sparse(`${repo}/blobs/${blob}`, new Uint8Array(8), 60e9);
  Deno.symlinkSync(`../../blobs/${blob}`, `${repo}/snapshots/${commit}/model.safetensors`);
  return `${folder}/hub`;
}

/** Two million questions. */
function manyQuestions(): string {
  const path = `${folder}/test.jsonl`;
  const line = '{"question": "What is 1 + 1?", "answer": "It is 2 #### 2"}\n';
  using file = Deno.openSync(path, { write: true, createNew: true });
  const block = new TextEncoder().encode(line.repeat(100_000));
  for (let i = 0; i < 20; i++) file.writeSync(block);
  return path;
}

/** Pairs that each take the checker some time. */
function manyPairs(): string {
  const path = `${folder}/pairs.jsonl`;
  const pairs = Array.from(
    { length: 60_000 },
    (_, i) =>
      JSON.stringify({
        gold: `\\sqrt{${i}}+\\frac{x}{${i + 1}}`,
        prediction: `\\frac{x}{${i + 1}}+${i}^{0.5}`,
      }),
  );
  Deno.writeTextFileSync(path, pairs.join("\n") + "\n");
  return path;
}

/** A model whose tokenizer cuts texts by a regular expression that backtracks for ever. */
async function endlessRegex(): Promise<string> {
  const model = await byteModel(folder);
  const pattern = { Regex: "(([A-Za-z ]+)+)+#" };
  const hostile = byteLevelFiles({ special: ["<|end|>"] }, {
    pre_tokenizer: { type: "Split", pattern, behavior: "Isolated", invert: false },
  });
  for (const [name, text] of Object.entries(hostile)) Deno.writeTextFileSync(`${model}/${name}`, text);
  return model;
}

/** What takes long, and how it is begun. */
const LOADS: [what: string, args: () => string[] | Promise<string[]>, env?: Record<string, string>][] = [
  // The longer a text, the longer its deadline: of this one 15 s.
  ["a tokenizer's regular expression", async () => {
    const model = await endlessRegex();
    return ["generate", "a".repeat(100_000), "--raw", "--model", model];
  }],
  ["a model's embedding that is measured", () => ["model", "info", hugeModel()]],
  ["a model that is opened to generate", () => ["generate", "one", "--model", `${folder}/huge`]],
  ["blobs that are hashed", () => (hugeCache(), ["model", "verify", "org/name"]), {
    HF_HUB_CACHE: `${folder}/hub`,
  }],
  ["questions that are read", () => ["eval", "gsm8k", "--data", manyQuestions()]],
  ["pairs that are judged", () => ["eval", "check", "--file", manyPairs()]],
];

async function interrupted(args: string[], env: Record<string, string> = {}): Promise<number> {
  const child = softcotCommand(args, {
    ...{ env, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const output = child.output();
  let ended = 0;
  const gone = output.then(() => ended = performance.now());
  await new Promise((resolve) => setTimeout(resolve, BEGUN));
  if (ended > 0) {
    const { code, stderr } = told(await output);
    throw new Error(`it ended by itself, with ${code}: ${stderr}`);
  }
  const began = performance.now();
  child.kill("SIGINT");
  const killed = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await gone;
  clearTimeout(killed);
  return ended - began;
}

for (const [what, args, env] of LOADS) {
  Deno.test(`Ctrl-C ends ${what} within 3 s`, async () => {
    const time = await interrupted(await args(), env);
    assert(time < WITHIN, `${time} ms`);
  });
}

Deno.test("Ctrl-C ends a pull from a hub that never answers within 3 s", async () => {
  const end = new AbortController();
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {}, signal: end.signal };
  const hub = Deno.serve(quiet, () => new Promise<Response>(() => {}));
  const time = await interrupted(["model", "pull", "org/name"], {
    ...{ HF_ENDPOINT: `http://127.0.0.1:${hub.addr.port}`, HF_HUB_CACHE: `${folder}/pulled` },
    ...{ HF_HUB_OFFLINE: "", HF_TOKEN: "" },
  });
  end.abort();
  assert(time < WITHIN, `${time} ms`);
});
