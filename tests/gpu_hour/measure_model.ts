/**
 * Prefill, decoding at batches of 1, 8 and 64, and an update, of a model of random weights: f16 to generate with, f32 to train.
 *
 *     deno run -A tests/gpu_hour/measure_model.ts smollm2-135m|llama-1b [--tiny]
 */
import { measure } from "../../cli/bench/measure.ts";
import { generationMeasurements, updateMeasurement } from "../../cli/bench/model_parts.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { countWeights, trainingStateBytes } from "../../model/memory/count_weights.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { measuring } from "./measuring.ts";
import type { Figure } from "./part.ts";
import { quickModel } from "./random_weights.ts";
import { SHAPES, tinyShape } from "./shapes.ts";

const tiny = Deno.args.includes("--tiny");
const config = tiny ? tinyShape(SHAPES[Deno.args[0]]) : SHAPES[Deno.args[0]];
const rounds = tiny ? 1 : 3;
const found = { tokenizer: builtinTokenizer(), embeddingRms: 0.02 };

// What the bus gives at most, by its specification: 16 lanes of 16, 32 GT/s.
const PCIE = "less than 32 over PCIe 4.0 x16, 64 over 5.0; no published figure of WebGPU's";

await measuring(async (gpu, tell) => {
  const weights = countWeights(config);
  const figures: Figure[] = [{ what: "weights", value: weights / 1e6, unit: "million" }];
  const started = performance.now();
  const model = quickModel(gpu, config, "f16");
  await gpu.reader.read({ ...model.params.finalNorm.chunks[0] });
  figures.push({
    what: "uploaded",
    value: 2 * weights / (performance.now() - started) / 1e6,
    unit: "GB/s",
    near: PCIE,
  });
  for (
    const { name, tokens, seconds } of await measure(gpu, generationMeasurements({ ...found, model }), {
      rounds,
    })
  ) {
    figures.push({ what: name, value: tokens! / seconds, unit: "tokens/s" });
  }
  freeModel(model);
  gpu.arena.trim();
  tell(figures);
  const free = deviceMemory(gpu.adapter)?.free ?? Infinity;
  const need = trainingStateBytes(config);
  if (need >= free) {
    const near = `left out: only ${(free / 2 ** 30).toFixed(1)} GiB are free`;
    return [...figures, { what: "update needs", value: need / 2 ** 30, unit: "GiB", near }];
  }
  const trained = quickModel(gpu, config, "f32");
  const [update] = await measure(gpu, [updateMeasurement({ ...found, model: trained }, 32)], { rounds });
  return [
    ...figures,
    { what: update.name, value: update.seconds, unit: "s" },
    { what: "its useful work", value: update.flops! / update.seconds / 1e9, unit: "GFLOP/s" },
  ];
});
