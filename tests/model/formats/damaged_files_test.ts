/** Model files of every format, damaged at random, and by hand: opened or refused with a clear error, never worse. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { tensorShapes } from "../../../model/transformer/params.ts";
import { inFolder } from "../../support/folders.ts";
import { type Files, ggufFiles, huggingFaceFiles, llama2cFiles } from "../support/small_model_files.ts";

const FILES = 10_000;
/** Of words that each model's tokenizer knows. */
const TEXTS = ["User: Sam has 10", "User: Sam has 10", "the naïve", "the naïve"];

/** Opens a model and reads all of it, as loading does. */
function readAll(folder: string, text: string): void {
  using files = openModelFiles(folder);
  for (const { name } of tensorShapes(files.config)) readTensor(files.weights, name);
  files.tokenizer.decode(files.tokenizer.encode(text));
  files.hash();
}

function write(folder: string, files: Files): void {
  for (const [name, bytes] of Object.entries(files)) Deno.writeFileSync(`${folder}/${name}`, bytes);
}

/** Without emptying the file first, after which some file systems wait for the disk. */
function rewrite(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.truncateSync(bytes.length);
}

Deno.test(`${FILES} mutated model files are read or refused: no crash, no hang, no large allocation`, () => {
  const models = [huggingFaceFiles(false), huggingFaceFiles(true), ggufFiles(), llama2cFiles()];
  // What is damaged most often; tokenizers are large and in every folder.
  const targets = models.flatMap((files, model) => {
    const weight = (name: string) =>
      /gguf|small.bin/.test(name) ? 6 : /^(tokenizer|softcot)/.test(name) ? 1 : 3;
    return Object.keys(files).flatMap((name) =>
      Array<{ model: number; name: string }>(weight(name)).fill({ model, name })
    );
  });
  const folders = models.map((files) => {
    const folder = Deno.makeTempDirSync();
    write(folder, files);
    readAll(folder, TEXTS[models.indexOf(files)]);
    return folder;
  });
  const below = draws(2024);
  const outcomes = { read: 0, refused: 0 };
  const messages = new Map<string, number>();
  let slowest = 0;
  const before = Deno.memoryUsage();
  let most = 0;
  try {
    for (let round = 0; round < FILES; round++) {
      const { model, name } = targets[below(targets.length)];
      const path = `${folders[model]}/${name}`;
      const whole = models[model][name];
      let bytes = whole;
      for (let edits = 1 + below(3); edits > 0; edits--) bytes = mutated(bytes, below);
      rewrite(path, bytes);
      const start = performance.now();
      try {
        readAll(folders[model], TEXTS[model]);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof UserError)) {
          throw new Error(`round ${round}: ${name} gave no clear error`, { cause: error });
        }
        assert(/^Cannot .+: .+/s.test(error.message) && error.message.length < 1000, error.message);
        const kind = `${name}: ${error.message.replaceAll(/"[^"]*"|[\d./]+|\/tmp\S+/g, "_").slice(0, 60)}`;
        messages.set(kind, (messages.get(kind) ?? 0) + 1);
        outcomes.refused++;
      }
      slowest = Math.max(slowest, performance.now() - start);
      most = Math.max(most, Deno.memoryUsage().external - before.external);
      rewrite(path, whole);
    }
  } finally {
    for (const folder of folders) Deno.removeSync(folder, { recursive: true });
  }
  if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) {
    console.error(
      `${JSON.stringify(outcomes)}, slowest ${slowest.toFixed()} ms, buffers grew by ${most} bytes`,
    );
    for (const [kind, count] of [...messages].sort(([, a], [, b]) => b - a)) console.error(count, kind);
  }
  assertEquals(outcomes.read + outcomes.refused, FILES);
  assert(outcomes.read > 500 && outcomes.refused > 3000, JSON.stringify(outcomes));
  assert(slowest < 5000, `one file took ${slowest} ms`);
  assert(most < 200e6, `buffers grew by ${most} bytes`);
});

/** Whole numbers below a bound, the same in every run. */
function draws(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = state + 0x9e3779b9 >>> 0;
    let mixed = Math.imul(state ^ state >>> 16, 0x21f0aaad);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
    return ((mixed ^ mixed >>> 15) >>> 0) % bound;
  };
}

/** Numbers that lengths, counts and offsets are made to say. */
const EXTREMES = [
  0n,
  1n,
  2n,
  31n,
  2n ** 16n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

function mutated(bytes: Uint8Array<ArrayBuffer>, below: (bound: number) => number): Uint8Array<ArrayBuffer> {
  const out = bytes.slice();
  if (out.length < 16) return Uint8Array.of(...out, below(256));
  // Headers come first: half of the damage is done there.
  const at = below(below(2) === 0 ? Math.min(out.length, 3000) : out.length);
  const kind = below(8);
  if (kind === 0) out[at] ^= 1 << below(8);
  else if (kind === 1) out[at] = below(256);
  else if (kind === 2) return out.slice(0, below(out.length));
  else if (kind === 3) {
    const view = new DataView(out.buffer);
    const place = Math.min(at, out.length - 8);
    view.setBigUint64(place, EXTREMES[below(EXTREMES.length)], true);
  } else if (kind === 4) out[at] = '{}[]",:0123456789-e.\\ '.charCodeAt(below(23));
  else if (kind === 5) out.copyWithin(at, below(out.length), below(out.length));
  else if (kind === 6) out.fill(below(2) * 255, at, at + below(64));
  else return Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - below(40)))]);
  return out;
}

Deno.test("a 4 GiB claim in a file of some bytes is refused in no time", () =>
  inFolder((folder) => {
    const refuse = (
      files: Files,
      name: string,
      change: (view: DataView, bytes: Uint8Array) => void,
      message: string,
    ) => {
      const bytes = files[name].slice();
      change(new DataView(bytes.buffer), bytes);
      Deno.writeFileSync(`${folder}/${name}`, bytes);
      const error = assertThrows(() => openModelFiles(`${folder}/${name}`), UserError, message);
      assert(error.message.startsWith("Cannot "), error.message);
    };
    const [gguf, llama] = [ggufFiles(), llama2cFiles()];
    write(folder, llama);
    const find = (bytes: Uint8Array, text: string) => {
      const needle = new TextEncoder().encode(text);
      return bytes.findIndex((_, i) => needle.every((byte, k) => bytes[i + k] === byte));
    };
    const inGguf = (change: (view: DataView, bytes: Uint8Array) => void, message: string) =>
      refuse(gguf, "small.gguf", change, message);
    const inLlama = (change: (view: DataView, bytes: Uint8Array) => void, message: string) =>
      refuse(llama, "small.bin", change, message);
    inGguf((view) => view.setUint8(0, 0x58), 'begins with "XGUF"');
    inGguf((view) => view.setUint32(4, 1, true), "version 1");
    inGguf((view) => view.setUint32(4, 3, false), "big-endian");
    inGguf((view) => view.setBigUint64(8, 2n ** 60n, true), "tensors, there is room for");
    inGguf((view) => view.setBigUint64(16, 2n ** 40n, true), "keys of metadata, there is room for");
    inGguf((view) => view.setBigUint64(24, 2n ** 63n, true), "a key of metadata is said to have");
    inGguf((view, bytes) => {
      const key = find(bytes, "tokenizer.ggml.tokens") + "tokenizer.ggml.tokens".length;
      view.setBigUint64(key + 8, 2n ** 33n, true);
    }, 'values of "tokenizer.ggml.tokens", there is room for');
    const info = "blk.0.attn_q.weight";
    const afterName = (bytes: Uint8Array) => find(bytes, info) + info.length;
    inGguf((view, bytes) => view.setUint32(afterName(bytes), 5, true), "5 dimensions");
    inGguf((view, bytes) => view.setBigUint64(afterName(bytes) + 4, 2n ** 52n, true), "bytes from");
    inGguf((view, bytes) => view.setBigUint64(afterName(bytes) + 4, 33n, true), "rows of 33 in blocks of 32");
    inGguf((view, bytes) => view.setUint32(afterName(bytes) + 20, 16, true), "stored as IQ2_XXS");
    inGguf((view, bytes) => view.setBigUint64(afterName(bytes) + 24, 2n ** 40n, true), "the file has");
    inGguf((view, bytes) => view.setBigUint64(afterName(bytes) + 24, 7n, true), "multiple of 32");
    inGguf((view, bytes) => view.setBigUint64(afterName(bytes) + 24, 0n, true), "overlaps");
    const afterKey = (bytes: Uint8Array, key: string) => find(bytes, key) + key.length + 4;
    inGguf(
      (view, bytes) => view.setUint32(afterKey(bytes, "llama.block_count"), 2 ** 31 - 1, true),
      "no tensor model.layers.2.",
    );
    inGguf((view, bytes) => view.setUint32(afterKey(bytes, "llama.block_count"), 1, true), "no place for");
    inGguf(
      (view, bytes) => view.setUint32(afterKey(bytes, "llama.context_length"), 2 ** 30, true),
      "context",
    );
    inGguf((view, bytes) => view.setUint8(afterKey(bytes, "general.architecture") + 8, 0x78), '"xlama"');
    inLlama((view) => view.setInt32(0, 2 ** 31 - 1, true), "width");
    inLlama((view) => view.setInt32(8, 2 ** 20, true), "its header asks for more");
    inLlama((view) => view.setInt32(0, 0x616b3432, true), "version 12");
    inLlama((view) => view.setInt32(12, 3, true), "3 heads");
    inLlama((view) => view.setInt32(20, -view.getInt32(20, true), true), "asks for more");
  }));
