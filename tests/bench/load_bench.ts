/**
 * What loading a model costs: `deno run -A tests/bench/load_bench.ts MODEL`. Prints, as JSON, the seconds of its parts,
 * converted numbers a second, and by how much JS heap and array buffers grow at most, above what the tokenizer holds.
 */
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { readParams } from "../../model/files/params_file.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { tensorShapes } from "../../model/transformer/params.ts";
import { createModel } from "../../model/transformer/transformer.ts";

const name = Deno.args[0] ?? "builtin";
const held = () => {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
};
const seconds = (since: number) => Number(((performance.now() - since) / 1000).toFixed(3));

const gpu = await openGpu();
const begin = performance.now();
const atBegin = held();
const files = openModelFiles(name);
const open = seconds(begin);
const { config, weights } = files;

const buffer = new Float32Array(2 ** 22);
const before = performance.now();
let numbers = 0;
for (const { name: tensor } of tensorShapes(config)) {
  const { elements } = weights.tensors.get(tensor)!;
  for (let at = 0; at < elements; at += buffer.length) {
    weights.read(tensor, at, buffer.subarray(0, Math.min(buffer.length, elements - at)));
  }
  numbers += elements;
}
const convert = seconds(before);

// deno-lint-ignore no-explicit-any
(globalThis as any).gc?.();
const base = held();
let most = 0;
const observed = {
  ...weights,
  read(tensor: string, from: number, out: Float32Array<ArrayBuffer>) {
    weights.read(tensor, from, out);
    most = Math.max(most, held() - base);
  },
};
const start = performance.now();
const model = createModel(gpu, config);
readParams(gpu, config, observed, model.params, name);
await gpu.reader.read(model.params.finalNorm.chunks[0]);
most = Math.max(most, held() - base);
console.log(JSON.stringify(
  {
    model: name,
    numbers,
    openSeconds: open,
    convertSeconds: convert,
    millionNumbersPerSecond: Math.round(numbers / convert / 1e6),
    loadSeconds: seconds(start),
    grownMB: { opening: Math.round((base - atBegin) / 1e6), loading: Math.round(most / 1e6) },
    residentMB: Math.round(Deno.memoryUsage().rss / 1e6),
  },
  null,
  2,
));
files[Symbol.dispose]();
gpu.close();
