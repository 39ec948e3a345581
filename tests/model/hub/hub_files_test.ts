import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { modelFilesIn } from "../../../model/hub/model_files_in.ts";

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

function refused(run: () => unknown, message: string, hint = "") {
  const error = assertThrows(run, UserError, message) as UserError;
  assertStringIncludes(error.hint ?? "", hint);
}

Deno.test("of a model's repository: configuration, tokenizer and safetensors, and no second copy of the weights", () => {
  const one = [...BESIDE, "chat_template.jinja", "merges.txt", "vocab.json"];
  assertEquals(
    modelFilesIn("o/n", [...OTHERS, ...one, "model.safetensors", "model.fp16.safetensors"]).sort(),
    [
      ...one,
      "model.safetensors",
    ].sort(),
  );
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const index = "model.safetensors.index.json";
  assertEquals(
    modelFilesIn("o/n", [...OTHERS, ...BESIDE, index, ...shards]).sort(),
    [...BESIDE, index, ...shards].sort(),
  );
});

Deno.test("a single GGUF file is taken, one of several is to be chosen", () => {
  const several = ["README.md", "M.F16.gguf", "M.BF16.gguf", "M-Q4_K_M.gguf", "M-Q8_0.gguf", "mmproj-M.gguf"];
  assertEquals(modelFilesIn("o/n", ["README.md", "x.gguf", "mmproj-x.gguf"]), ["README.md", "x.gguf"]);
  refused(() => modelFilesIn("o/n", several), "it has 4 files to choose from: M.F16.gguf", "--file Q8_0");
  const chosen = (file: string) => modelFilesIn("o/n", several, file).at(-1);
  assertEquals(["Q4_K_M", "q8_0", "F16", "bf16", "M-Q8_0.gguf"].map(chosen), [
    "M-Q4_K_M.gguf",
    "M-Q8_0.gguf",
    "M.F16.gguf",
    "M.BF16.gguf",
    "M-Q8_0.gguf",
  ]);
  refused(() => modelFilesIn("o/n", several, "Q5"), "no file of that name is there; it has M.F16.gguf");
  refused(() => modelFilesIn("o/n", several, "M-"), "2 files have that in their names");
  const part = "M-00001-of-00003.gguf";
  refused(() => modelFilesIn("o/n", [part], part), "one part of a model that is split", "safetensors");
});

Deno.test("an adapter's repository gives the adapter", () => {
  const adapter = ["README.md", "adapter_config.json", "adapter_model.safetensors"];
  assertEquals(
    modelFilesIn("o/n", [...adapter, "optimizer.pt", "checkpoint-5/adapter_model.safetensors"]),
    adapter,
  );
});

Deno.test("a llama2.c model comes with its tokenizer", () => {
  const paths = [
    "stories15M.bin",
    "stories260K/stories260K.bin",
    "stories260K/tok512.bin",
    "stories260K/readme.md",
  ];
  assertEquals(modelFilesIn("o/n", paths, "stories260K/stories260K.bin"), paths.slice(1, 3));
});

Deno.test("a repository that cannot be used says so before anything is fetched", () => {
  refused(() => modelFilesIn("o/n", ["model.safetensors", "config.json"]), "it has no tokenizer.json");
  refused(
    () => modelFilesIn("o/n", [...BESIDE, "pytorch_model.bin"]),
    "only pytorch_model.bin",
    "safetensors or GGUF",
  );
  refused(() => modelFilesIn("o/n", ["README.md"]), "no weights that can be opened; model.safetensors");
});
