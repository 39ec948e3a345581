/** Files that people have in a model's place: pointers of Git LFS, other element types, indexes without their shards. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readRows } from "../../../eval/data/read_rows.ts";
import { UserError } from "../../../gpu/errors.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { openSafetensors } from "../../../model/formats/safetensors.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { readAdapterConfig } from "../../../model/lora/adapter_config.ts";
import { inFolder } from "../../support/folders.ts";
import { type Files, ggufFiles, huggingFaceFiles, llama2cFiles } from "../support/small_model_files.ts";

function write(folder: string, files: Files): void {
  for (const [name, bytes] of Object.entries(files)) {
    if (name.includes("/")) Deno.mkdirSync(`${folder}/${name.replace(/\/[^/]*$/, "")}`, { recursive: true });
    Deno.writeFileSync(`${folder}/${name}`, bytes);
  }
}

const refused = (run: () => unknown, ...parts: string[]): UserError => {
  const error = assertThrows(run, UserError);
  for (const part of parts) assertStringIncludes(error.message, part);
  return error;
};

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 269060552\n`;
const SAYS = [
  "it is a pointer of Git LFS, not the file itself of 269060552 bytes",
  "git lfs pull",
  "softcot model pull",
];

Deno.test("a pointer of Git LFS in place of any file of a model is told, with the way to the file", () =>
  inFolder((folder) => {
    const one = huggingFaceFiles(false);
    const sharded = huggingFaceFiles(true);
    for (
      const [files, name, open] of [
        [one, "model.safetensors", "."],
        [one, "config.json", "."],
        [one, "tokenizer.json", "."],
        [one, "tokenizer_config.json", "."],
        [one, "softcot.json", "."],
        [sharded, "model-00001-of-00002.safetensors", "."],
        [sharded, "model-00002-of-00002.safetensors", "."],
        [sharded, "model.safetensors.index.json", "."],
        [ggufFiles(), "small.gguf", "small.gguf"],
        [llama2cFiles(), "small.bin", "small.bin"],
        [llama2cFiles(), "tokenizer.bin", "small.bin"],
      ] as const
    ) {
      const place = `${folder}/${crypto.randomUUID()}`;
      Deno.mkdirSync(place);
      write(place, files);
      Deno.writeTextFileSync(`${place}/${name}`, POINTER);
      refused(
        () => openModelFiles(`${place}/${open}`),
        name.replace(/^tokenizer_config/, "tokenizer_config"),
        ...SAYS,
      );
    }
    Deno.writeTextFileSync(`${folder}/adapter_config.json`, POINTER);
    refused(() => readAdapterConfig(folder), ...SAYS);
    Deno.writeTextFileSync(`${folder}/adapter_model.safetensors`, POINTER.replace(/size.*\n/, ""));
    refused(() => openSafetensors(`${folder}/adapter_model.safetensors`), "not the file itself: run");
  }));

Deno.test("a pointer of Git LFS in place of data is told, a text that only begins alike is none", () =>
  inFolder(async (folder) => {
    for (const name of ["a.parquet", "a.jsonl", "a.json", "a.csv"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, POINTER);
      const error = await readRows(`${folder}/${name}`).then(() => undefined, (error) => error);
      assert(error instanceof UserError, name);
      for (const part of SAYS) assertStringIncludes(error.message, part);
    }
    for (
      const text of [
        "version https://git-lfs.github.com/spec/v2\n",
        "version https://git-lfs.github.com/spec/v1",
        ` ${POINTER}`,
        `"${POINTER}"`,
        POINTER + "x".repeat(2000),
      ]
    ) {
      Deno.writeTextFileSync(`${folder}/a.csv`, `q\n${text}`);
      const error = await readRows(`${folder}/a.csv`).then(() => undefined, (error) => error);
      assert(error === undefined || !/Git LFS/.test(error.message), text);
    }
  }));

/** A safetensors file of one byte for each of some tensors. */
function fileOf(header: Record<string, unknown>, bytes: number): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

Deno.test("tensors of every type of the format are passed over, and refused where their numbers are wanted", () => {
  const bits = {
    ...{
      F4: 4,
      F6_E2M3: 6,
      F6_E3M2: 6,
      F8_E4M3: 8,
      F8_E5M2: 8,
      F8_E8M0: 8,
      F8_E4M3FNUZ: 8,
      F8_E5M2FNUZ: 8,
      C64: 64,
    },
    ...{ F64: 64, I64: 64, I32: 32, I16: 16, I8: 8, U64: 64, U32: 32, U16: 16, U8: 8, BOOL: 8 },
  };
  for (const [dtype, width] of Object.entries(bits)) {
    const header = {
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype, shape: [2, 4], data_offsets: [8, 8 + width] },
    };
    const file = openSafetensors(fileOf(header, 8 + width));
    assertEquals([...readTensor(file, "a")], [0, 0]);
    const error = refused(
      () => readTensor(file, "b"),
      `Cannot read b of embedded weights: it is stored as ${dtype}`,
    );
    assertStringIncludes(error.hint!, "F32, F16 or BF16, or as GGUF");
    const cut = { ...header, b: { ...header.b, data_offsets: [8, 7 + width] } };
    refused(() => openSafetensors(fileOf(cut, 7 + width)), `in ${dtype} cannot take ${width - 1} bytes`);
  }
  for (const dtype of ["F5", "F8", "I4", "FP8", "f32", "", 4, null, "constructor", "C128"]) {
    refused(() => openSafetensors(fileOf({ b: { dtype, shape: [1], data_offsets: [0, 8] } }, 8)), "has type");
  }
});

Deno.test("__metadata__ may be null; what is no map from text to text is refused", () => {
  const a = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  for (const metadata of [null, {}, { format: "pt" }, undefined]) {
    const file = openSafetensors(fileOf({ __metadata__: metadata, a }, 4));
    assertEquals(file.metadata, (metadata ?? {}) as Record<string, string>);
    assertEquals([...file.tensors.keys()], ["a"]);
  }
  for (const metadata of [{ a: null }, { a: 1 }, [], "x", 3, true, { a: {} }]) {
    refused(
      () => openSafetensors(fileOf({ __metadata__: metadata, a }, 4)),
      "__metadata__ is not a map from text to text",
    );
  }
});

/** The header and the bytes of a file with one more tensor, of a type that is not ours. */
function withTensor(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  dtype: string,
  elements: number,
  bytes: number,
) {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const data = file.subarray(8 + length);
  header[name] = { dtype, shape: [elements], data_offsets: [data.length, data.length + bytes] };
  const out = fileOf(header, data.length + bytes);
  out.set(data, out.length - data.length - bytes);
  return out;
}

Deno.test("a model with tensors of other types beside its own is opened; one whose own are such is refused before it is loaded", () =>
  inFolder((folder) => {
    const files = huggingFaceFiles(false);
    const weights = files["model.safetensors"];
    for (
      const [name, dtype, bytes] of [["scales", "F8_E8M0", 8], ["model.vision.x", "F4", 4], [
        "ids",
        "I64",
        64,
      ]] as const
    ) {
      write(folder, { ...files, "model.safetensors": withTensor(weights, name, dtype, 8, bytes) });
      using opened = openModelFiles(folder);
      assert(opened.weights.tensors.has(name));
    }
    const length = Number(new DataView(weights.buffer).getBigUint64(0, true));
    const header: Record<string, { dtype: string }> = JSON.parse(
      new TextDecoder().decode(weights.subarray(8, 8 + length)),
    );
    const halves = Object.entries(header).filter(([_, { dtype }]) => dtype === "F16");
    halves[0][1].dtype = "I16";
    const changed = fileOf(header, weights.length - 8 - length);
    write(folder, { ...files, "model.safetensors": changed });
    refused(() => openModelFiles(folder), `Cannot read ${halves[0][0]} of ${folder}: it is stored as I16`);
  }));

Deno.test("an index that names shards that are not there says which, whatever they are called", () =>
  inFolder((folder) => {
    const files = huggingFaceFiles(true);
    const [first, second] = Object.keys(files).filter((name) => /^model-0/.test(name)).sort();
    write(folder, files);
    Deno.removeSync(`${folder}/${second}`);
    const error = refused(() => openModelFiles(folder), `names 2 files, of which ${second} is not there`);
    assertStringIncludes(error.hint!, "pull the model again");
    Deno.removeSync(`${folder}/${first}`);
    refused(() => openModelFiles(folder), `names 2 files, of which ${first}, ${second} are not there`);
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`t${i}`, `p${i}.safetensors`]));
    Deno.writeTextFileSync(`${folder}/model.safetensors.index.json`, JSON.stringify({ weight_map: many }));
    refused(
      () => openModelFiles(folder),
      "p0.safetensors, p1.safetensors, p2.safetensors and 6 more are not there",
    );
  }));

Deno.test("shards are found under any name within the folder, and count into its hash", () =>
  inFolder((folder) => {
    const files = huggingFaceFiles(true);
    const [first, second] = Object.keys(files).filter((name) => /^model-0/.test(name)).sort();
    const hashes = new Set<string>();
    for (
      const [a, b] of [
        [first, second],
        ["pytorch_model-00001-of-00002.safetensors", "pytorch_model-00002-of-00002.safetensors"],
        ["a.safetensors", "b.safetensors"],
        ["weights/1.safetensors", "weights/2.safetensors"],
        ["shard é 1.safetensors", "shard é 2.safetensors"],
        ["x", "y.bin"],
      ]
    ) {
      const place = `${folder}/${crypto.randomUUID()}`;
      Deno.mkdirSync(place);
      const { [first]: one, [second]: two, ...rest } = files;
      const index = new TextDecoder().decode(rest["model.safetensors.index.json"]).replaceAll(first, a)
        .replaceAll(second, b);
      write(place, {
        ...rest,
        [a]: one,
        [b]: two,
        "model.safetensors.index.json": new TextEncoder().encode(index),
      });
      using opened = openModelFiles(place);
      hashes.add(opened.hash());
      Deno.writeTextFileSync(`${place}/softcot.json`, "{}");
      using again = openModelFiles(place);
      assertEquals(again.embeddingRms > 0, true);
    }
    // The same bytes in the same order.
    assertEquals(hashes.size, 1);
    const index = JSON.stringify({ weight_map: { x: "../model.safetensors" } });
    Deno.writeTextFileSync(`${folder}/model.safetensors.index.json`, index);
    Deno.writeFileSync(`${folder}/config.json`, files["config.json"]);
    Deno.writeFileSync(`${folder}/tokenizer.json`, files["tokenizer.json"]);
    refused(() => openModelFiles(folder), "a safetensors file of the same folder is needed");
  }));
