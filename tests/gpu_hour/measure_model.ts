/**
 * Prefill, decoding at batches of 1, 8 and 64, and an update, of a model of random weights: f16 to generate with, f32 to train.
 *
 *     deno run -A tests/gpu_hour/measure_model.ts smollm2-135m|llama-1b [--tiny]
 */
import { measure } from "../../cli/bench/measure.ts";
import { generationMeasurements, updateMeasurement } from "../../cli/bench/model_parts.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { countWeights, trainingStateBytes } from "../../model/memory/count_weights.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import type { Figure } from "./part.ts";
import { quickModel } from "./random_weights.ts";
import { SHAPES, tinyShape } from "./shapes.ts";

const tiny = Deno.args.includes("--tiny");
const config = tiny ? tinyShape(SHAPES[Deno.args[0]]) : SHAPES[Deno.args[0]];
const rounds = tiny ? 1 : 3;
const gpu = await openGpu();
const found = { tokenizer: builtinTokenizer(), embeddingRms: 0.02 };

const weights = countWeights(config);
const figures: Figure[] = [{ what: "weights", value: weights / 1e6, unit: "million" }];
const started = performance.now();
const model = quickModel(gpu, config, "f16");
await gpu.reader.read({ ...model.params.finalNorm.chunks[0] });
figures.push({ what: "uploaded", value: 2 * weights / (performance.now() - started) / 1e6, unit: "GB/s" });
for (
  const { name, tokens, seconds } of await measure(gpu, generationMeasurements({ ...found, model }), {
    rounds,
  })
) {
  figures.push({ what: name, value: tokens! / seconds, unit: "tokens/s" });
}
freeModel(model);
gpu.arena.trim();
// The output of what is done so far counts if the update takes too long.
console.log(JSON.stringify({ figures }));
if (trainingStateBytes(config) < (deviceMemory(gpu.adapter)?.free ?? Infinity)) {
  const trained = quickModel(gpu, config, "f32");
  const [update] = await measure(gpu, [updateMeasurement({ ...found, model: trained }, 32)], { rounds });
  figures.push({ what: update.name, value: update.seconds, unit: "s" });
  figures.push({ what: "its useful work", value: update.flops! / update.seconds / 1e9, unit: "GFLOP/s" });
  console.log(JSON.stringify({ figures }));
}
gpu.close();
Deno.exit(0);
