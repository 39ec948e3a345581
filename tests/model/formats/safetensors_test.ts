import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { openSafetensors, openWeights } from "../../../model/formats/safetensors.ts";
import { readPieces, readTensor } from "../../../model/formats/tensor_file.ts";
import { createSafetensors, type TensorSpec } from "../../../model/formats/safetensors_writer.ts";
import { inFolder } from "../../support/folders.ts";

const values = (count: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) * scale);

const SPECS: TensorSpec[] = [
  { name: "odd.half", dtype: "F16", shape: [3] },
  { name: "model.embed_tokens.weight", dtype: "F32", shape: [5, 7] },
  { name: "brain", dtype: "BF16", shape: [2, 2, 3] },
  { name: "scalar", dtype: "F32", shape: [] },
  { name: "empty", dtype: "F32", shape: [0, 4] },
];
const sizeOf = ({ shape }: TensorSpec) => shape.reduce((product, n) => product * n, 1);

function writeAll(path: string, specs = SPECS) {
  const writer = createSafetensors(path, specs, { format: "pt", note: 'a "quoted" word: {é}' });
  for (const spec of specs) writer.write(spec.name, values(sizeOf(spec)));
  writer.finish();
}

/** A file of a header given as text and some bytes of data. */
function fileOf(header: unknown, dataBytes: number, length?: bigint): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

Deno.test(
  "safetensors: what is written is read back, each type to its own precision",
  () =>
    inFolder((folder) => {
      const path = `${folder}/model.safetensors`;
      writeAll(path);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["model.safetensors"]);
      const file = openSafetensors(path);
      assertEquals(file.metadata.note, 'a "quoted" word: {é}');
      assertEquals(file.tensors.size, SPECS.length);
      for (const spec of SPECS) {
        const [read, written] = [readTensor(file, spec.name), values(sizeOf(spec))];
        assertEquals(file.tensors.get(spec.name)!.shape, spec.shape);
        if (spec.dtype === "F32") assertEquals(read, written);
        if (spec.dtype === "F16") assertEquals(read, Float32Array.from(new Float16Array(written)));
        const relative = spec.dtype === "BF16" ? 2 ** -8 : 2 ** -10;
        read.forEach((value, i) => assert(Math.abs(value - written[i]) <= relative * Math.abs(written[i])));
      }
      for (const { begin } of file.tensors.values()) assertEquals(begin % 2, 0);
      assertEquals(file.tensors.get("model.embed_tokens.weight")!.begin % 8, 0);
      file.close();
    }),
);

Deno.test(
  "safetensors: pieces of any size make up the tensor, in either kind of source",
  () =>
    inFolder((folder) => {
      const path = `${folder}/model.safetensors`;
      writeAll(path);
      for (const source of [path, Deno.readFileSync(path)]) {
        const file = openSafetensors(source);
        for (const { name } of SPECS) {
          for (const size of [1, 4, 100]) {
            const joined: number[] = [];
            readPieces(file, name, new Float32Array(size), (piece, from) => {
              assertEquals(from, joined.length);
              joined.push(...piece);
            });
            assertEquals(Float32Array.from(joined), readTensor(file, name));
          }
        }
        const middle = new Float32Array(3);
        file.read("model.embed_tokens.weight", 10, middle);
        assertEquals(middle, values(35).slice(10, 13));
        assertThrows(() => file.read("odd.half", 1, middle), Error, "it has 3");
        file.close();
      }
    }),
);

Deno.test(
  "safetensors: bf16 rounds to nearest even and keeps infinities and NaN",
  () =>
    inFolder((folder) => {
      const path = `${folder}/x.safetensors`;
      const exact = Float32Array.of(
        1,
        -2.5,
        Infinity,
        -Infinity,
        NaN,
        0,
        1 + 2 ** -8,
        1 + 3 * 2 ** -8,
        3.4e38,
      );
      const writer = createSafetensors(path, [{ name: "x", dtype: "BF16", shape: [9] }]);
      writer.write("x", exact.subarray(0, 4));
      writer.write("x", exact.subarray(4));
      writer.finish();
      const file = openSafetensors(path);
      assertEquals([...readTensor(file, "x")], [
        1,
        -2.5,
        Infinity,
        -Infinity,
        NaN,
        0,
        1,
        1 + 2 ** -6,
        Infinity,
      ]);
      file.close();
    }),
);

Deno.test("safetensors: misaligned files of older writers are read", () => {
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  for (const padding of ["", " ", "  ", "   "]) {
    const bytes = fileOf(JSON.stringify({ x: entry }) + padding, 8);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    assertEquals([...readTensor(openSafetensors(bytes), "x")], [0, 1.5]);
  }
});

Deno.test("safetensors: each kind of damage is named", () => {
  const entry = (begin: number, end: number, more = {}) => (
    { dtype: "F32", shape: [(end - begin) / 4], data_offsets: [begin, end], ...more }
  );
  const whole = fileOf({ x: entry(0, 8) }, 8);
  const cases: [string, Uint8Array<ArrayBuffer>][] = [
    ["it has 0 bytes", new Uint8Array(0)],
    ["it has 7 bytes", new Uint8Array(7)],
    ["its header is said to have", fileOf("{}", 0, 2n ** 63n)],
    ["its header is said to have 100000001", fileOf("{}", 0, 100_000_001n)],
    ["its header is said to have 3", fileOf("{}", 0, 3n)],
    ["not JSON", fileOf("", 0)],
    ["not JSON", fileOf('{"x":', 0)],
    ["no JSON object", fileOf("[]", 0)],
    ["no JSON object", fileOf("null", 0)],
    ["twice", fileOf('{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0078":{}}', 0)],
    ["twice", fileOf('{"x":{"dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0]}}', 0)],
    ["__metadata__", fileOf({ __metadata__: { a: 1 } }, 0)],
    ["has type", fileOf({ x: entry(0, 8, { dtype: "F5" }) }, 8)],
    ["cannot take", fileOf({ x: entry(0, 8, { dtype: "F4" }) }, 8)],
    ["has type", fileOf({ x: null }, 8)],
    ["has type", fileOf({ x: entry(0, 8, { dtype: "constructor" }) }, 8)],
    ["no shape", fileOf({ x: entry(0, 8, { shape: [-2] }) }, 8)],
    ["no shape", fileOf({ x: entry(0, 8, { shape: [0.5] }) }, 8)],
    ["no shape", fileOf({ x: entry(0, 8, { shape: 2 }) }, 8)],
    ["data_offsets", fileOf({ x: entry(0, 8, { data_offsets: [0] }) }, 8)],
    ["data_offsets", fileOf({ x: entry(0, 8, { data_offsets: [0, 1e300] }) }, 8)],
    ["cannot take", fileOf({ x: entry(0, 8, { shape: [3] }) }, 8)],
    ["cannot take", fileOf({ x: entry(0, 8, { shape: [2 ** 52, 2 ** 52, 2 ** 52] }) }, 8)],
    ["cannot take", fileOf({ x: entry(0, 0, { shape: [2 ** 52, 2 ** 52, 2 ** 52] }) }, 0)],
    ["lie at bytes", fileOf({ x: entry(0, 12) }, 8)],
    ["lie at bytes", fileOf({ x: entry(8, 0, { shape: [2] }) }, 8)],
    ["overlaps", fileOf({ x: entry(0, 8), y: entry(4, 12) }, 12)],
    ["belong to no tensor", fileOf({ x: entry(4, 8) }, 8)],
    ["belong to no tensor", fileOf({ x: entry(0, 4), y: entry(8, 12) }, 12)],
    ["belong to no tensor", fileOf({ x: entry(0, 8) }, 9)],
    ["lie at bytes", whole.slice(0, -1)],
  ];
  for (const [message, bytes] of cases) {
    const error = assertThrows(() => openSafetensors(bytes), UserError, message);
    assert(error.message.startsWith("Cannot read embedded weights: "), error.message);
  }
  const invalid = fileOf({ x: entry(0, 8) }, 8);
  invalid[9] = 0xff;
  assertThrows(() => openSafetensors(invalid), UserError, "not JSON");
});

Deno.test(
  "safetensors: missing tensors, files and other types are refused with a name",
  () =>
    inFolder((folder) => {
      const file = openSafetensors(
        fileOf({ x: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8),
        "model.x",
      );
      assertThrows(() => readTensor(file, "y"), UserError, 'model.x: it has no tensor "y"');
      assertThrows(() => readTensor(file, "x"), UserError, "stored as I64");
      assertThrows(() => openSafetensors(`${folder}/none`), UserError, "Cannot read");
      assertThrows(() => openSafetensors(folder), UserError, "Cannot read");
      assertThrows(() => openWeights(folder), UserError, "neither model.safetensors");
    }),
);

Deno.test(
  "safetensors: shards are one file, and an index that does not fit is refused",
  () =>
    inFolder((folder) => {
      writeAll(`${folder}/a.safetensors`, SPECS.slice(0, 2));
      writeAll(`${folder}/b.safetensors`, SPECS.slice(2));
      const writeIndex = (weightMap: unknown) =>
        Deno.writeTextFileSync(
          `${folder}/model.safetensors.index.json`,
          JSON.stringify({ weight_map: weightMap }),
        );
      const shardOf = Object.fromEntries(
        SPECS.map(({ name }, i) => [name, i < 2 ? "a.safetensors" : "b.safetensors"]),
      );
      writeIndex(shardOf);
      const file = openWeights(folder);
      assertEquals([...file.tensors.keys()].sort(), SPECS.map(({ name }) => name).sort());
      assertEquals(readTensor(file, "model.embed_tokens.weight"), values(35));
      assertEquals(readTensor(file, "scalar"), values(1));
      assertThrows(() => readTensor(file, "z"), UserError, "no tensor");
      file.close();
      for (const shard of ["../a.safetensors", "/a.safetensors", "", 3, "sub\\a.safetensors"]) {
        writeIndex({ ...shardOf, scalar: shard });
        assertThrows(() => openWeights(folder), UserError, "same folder");
      }
      writeIndex({ ...shardOf, scalar: "a.bin" });
      assertThrows(() => openWeights(folder), UserError, "a.bin is not there");
      for (const weightMap of [{}, [], null, "a"]) {
        writeIndex(weightMap);
        assertThrows(() => openWeights(folder), UserError, "Cannot open the weights");
      }
      writeIndex({ ...shardOf, scalar: "a.safetensors" });
      assertThrows(() => openWeights(folder), UserError, 'no tensor "scalar"');
      writeIndex({ ...shardOf, scalar: "c.safetensors" });
      assertThrows(() => openWeights(folder), UserError, "c.safetensors");
    }),
);

Deno.test(
  "safetensors: an unfinished file never appears, and mistakes in writing are told",
  () =>
    inFolder((folder) => {
      const path = `${folder}/x.safetensors`;
      Deno.writeTextFileSync(path, "old");
      const spec: TensorSpec = { name: "x", dtype: "F16", shape: [2] };
      const writer = createSafetensors(path, [spec]);
      assertThrows(() => writer.write("y", values(1)), Error, "not announced");
      assertThrows(() => writer.write("x", values(3)), Error, "too many");
      assertThrows(() => writer.write("x", Float32Array.of(70000, 1)), UserError, "F16 ends at");
      assertThrows(() => writer.finish(), Error, "missing");
      assertEquals(Deno.readTextFileSync(path), "old");
      writer.abort();
      assertEquals([...Deno.readDirSync(folder)].length, 1);
      assertThrows(() => createSafetensors(path, [spec, spec]), Error, "two tensors");
      assertThrows(() => createSafetensors(`${folder}/none/x`, [spec]), UserError, "Cannot write");
    }),
);

Deno.test(
  "safetensors: 2,000 random mutations of a file are read or refused, never worse",
  () =>
    inFolder((folder) => {
      writeAll(`${folder}/x.safetensors`);
      const whole = Deno.readFileSync(`${folder}/x.safetensors`);
      const headerEnd = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
      let state = 12345;
      const below = (n: number) =>
        (state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0) % n;
      const outcomes = { read: 0, refused: 0 };
      for (let round = 0; round < 2000; round++) {
        let bytes = whole.slice();
        for (let edits = 1 + below(3); edits > 0; edits--) bytes = mutate(bytes, headerEnd, below);
        try {
          const file = openSafetensors(bytes);
          for (const name of file.tensors.keys()) readTensor(file, name);
          outcomes.read++;
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          outcomes.refused++;
        }
      }
      assert(outcomes.read > 50 && outcomes.refused > 500, JSON.stringify(outcomes));
    }),
);

function mutate(bytes: Uint8Array<ArrayBuffer>, headerEnd: number, below: (n: number) => number) {
  const at = below(Math.min(bytes.length, headerEnd + 20));
  const kind = below(6);
  const structure = [...new TextEncoder().encode('{}[]",:0123456789-e.\\ ')];
  if (kind === 0 && bytes.length > 0) bytes[at] ^= 1 << below(8);
  else if (kind === 1) bytes[at] = structure[below(structure.length)];
  else if (kind === 2) return bytes.slice(0, below(bytes.length + 1));
  else if (kind === 3) bytes[below(8)] = below(256);
  else if (kind === 4) bytes.copyWithin(at, below(headerEnd), below(headerEnd));
  else {return Uint8Array.from([
      ...bytes.subarray(0, at),
      ...bytes.subarray(at + below(4), at + 30),
      ...bytes.subarray(at),
    ]);}
  return bytes;
}
