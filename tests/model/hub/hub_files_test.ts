import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { modelFilesIn } from "../../../model/hub/model_files_in.ts";

const INDEX = "model.safetensors.index.json";
const BESIDE = [
  "README.md",
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
];
const OTHERS = [
  ".gitattributes",
  "pytorch_model.bin",
  "onnx/model.onnx",
  "consolidated.safetensors",
  "runs/x.1",
];

/** What is pulled of these files; `index` is what the index says, of which nothing is read where there is none. */
function filesIn(paths: readonly string[], file?: string, index?: unknown): Promise<string[]> {
  return modelFilesIn("o/n", paths, file, () => {
    if (index === undefined) throw new Error("the index is read");
    return Promise.resolve(typeof index === "string" ? index : JSON.stringify(index));
  });
}

async function refused(run: () => Promise<unknown>, message: string, hint = "") {
  const error = await assertRejects(run, UserError, message) as UserError;
  assertStringIncludes(error.hint ?? "", hint);
}

Deno.test("of a model's repository: configuration, tokenizer and safetensors, and no second copy of the weights", async () => {
  const one = [...BESIDE, "chat_template.jinja", "merges.txt", "vocab.json"];
  assertEquals(
    (await filesIn([...OTHERS, ...one, "model.safetensors", "model.fp16.safetensors"])).sort(),
    [
      ...one,
      "model.safetensors",
    ].sort(),
  );
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const named = { weight_map: { a: shards[0], b: shards[1], c: shards[0] } };
  assertEquals(
    (await filesIn([...OTHERS, ...BESIDE, INDEX, ...shards], undefined, named)).sort(),
    [...BESIDE, INDEX, ...shards].sort(),
  );
});

Deno.test("a single GGUF file is taken, one of several is to be chosen", async () => {
  const several = ["README.md", "M.F16.gguf", "M.BF16.gguf", "M-Q4_K_M.gguf", "M-Q8_0.gguf", "mmproj-M.gguf"];
  assertEquals(await filesIn(["README.md", "x.gguf", "mmproj-x.gguf"]), ["README.md", "x.gguf"]);
  await refused(() => filesIn(several), "it has 4 files to choose from: M.F16.gguf", "--file Q8_0");
  const chosen = async (file: string) => (await filesIn(several, file)).at(-1);
  assertEquals(await Promise.all(["Q4_K_M", "q8_0", "F16", "bf16", "M-Q8_0.gguf"].map(chosen)), [
    "M-Q4_K_M.gguf",
    "M-Q8_0.gguf",
    "M.F16.gguf",
    "M.BF16.gguf",
    "M-Q8_0.gguf",
  ]);
  await refused(() => filesIn(several, "Q5"), "no file of that name is there; it has M.F16.gguf");
  await refused(() => filesIn(several, "M-"), "2 files have that in their names");
  const part = "M-00001-of-00003.gguf";
  await refused(() => filesIn([part], part), "one part of a model that is split", "safetensors");
});

Deno.test("an adapter's repository gives the adapter", async () => {
  const adapter = ["README.md", "adapter_config.json", "adapter_model.safetensors"];
  assertEquals(
    await filesIn([...adapter, "optimizer.pt", "checkpoint-5/adapter_model.safetensors"]),
    adapter,
  );
});

Deno.test("a llama2.c model comes with its tokenizer", async () => {
  const paths = [
    "stories15M.bin",
    "stories260K/stories260K.bin",
    "stories260K/tok512.bin",
    "stories260K/readme.md",
  ];
  assertEquals(await filesIn(paths, "stories260K/stories260K.bin"), paths.slice(1, 3));
});

Deno.test("a repository that cannot be used says so before anything is fetched", async () => {
  await refused(() => filesIn(["model.safetensors", "config.json"]), "it has no tokenizer.json");
  await refused(
    () => filesIn([...BESIDE, "pytorch_model.bin"]),
    "only pytorch_model.bin",
    "safetensors or GGUF",
  );
  await refused(() => filesIn(["README.md"]), "no weights that can be opened; model.safetensors");
});

Deno.test("shards are those that the index names, whatever they are called", async () => {
  const all = [...OTHERS, ...BESIDE, INDEX];
  for (
    const shards of [
      ["pytorch_model-00001-of-00002.safetensors", "pytorch_model-00002-of-00002.safetensors"],
      ["part-a.safetensors", "part-b.safetensors"],
      ["model_1.safetensors"],
      ["weights/1.safetensors", "weights/2.safetensors"],
      ["language_model.safetensors", "model-00001-of-00001.safetensors"],
      ["consolidated.safetensors"],
      ["MODEL-1.SAFETENSORS"],
      ["shard 1.safetensors", "shard\u00e9.safetensors"],
      ["model.00.bin", "model.01.bin"],
      ["a", "b"],
      Array.from({ length: 163 }, (_, i) => `model-${i}.safetensors`),
    ]
  ) {
    const index = {
      metadata: {},
      weight_map: Object.fromEntries(shards.map((shard, i) => [`t${i}`, shard])),
    };
    const found = await filesIn([...all, ...shards, "other-1.safetensors"], undefined, index);
    assertEquals([...found].sort(), [...BESIDE, INDEX, ...shards].sort());
  }
});

Deno.test("an index that is none, or names what the repository lacks or nobody may write, is told", async () => {
  const all = [...BESIDE, INDEX, "a.safetensors"];
  const index = (...shards: unknown[]) => ({
    weight_map: Object.fromEntries(shards.map((shard, i) => [`t${i}`, shard])),
  });
  await refused(
    () => filesIn(all, undefined, index("a.safetensors", "b.safetensors")),
    "names b.safetensors, which",
    "revision",
  );
  await refused(
    () => filesIn(all, undefined, index("b", "c", "d")),
    "names b, c, d, which the repository does not",
  );
  for (
    const shard of [
      "../a.safetensors",
      "/etc/passwd",
      "a/../../b",
      "",
      "a\\b",
      3,
      null,
      "C:/x",
      "a//b",
      "./a",
    ]
  ) {
    await refused(
      () => filesIn(all, undefined, index(shard)),
      "a safetensors file of the same folder is needed",
    );
  }
  await refused(() => filesIn(all, undefined, "{"), `Cannot open the weights by ${INDEX} of o/n: `);
  await refused(() => filesIn(all, undefined, {}), "it has no object weight_map");
  await refused(() => filesIn(all, undefined, { weight_map: {} }), "it names 0 files");
  // Before anything is read.
  await refused(() => filesIn([INDEX, "a.safetensors", "config.json"]), "it has no tokenizer.json");
});
