import { withGpu } from "../vulkan/with_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { trainingStateBytes } from "../../model/memory/count_weights.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { count, describeCount } from "./count.ts";
import { measure, type Measured, type Measurement } from "./measure.ts";
import { generationMeasurements, rolloutMeasurements, updateMeasurement } from "./model_parts.ts";
import { kernelMeasurements, peakMeasurements, productMeasurements } from "./parts.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { describeTuning, tune } from "./tune.ts";
import { choices, flag, integer } from "../settings/setting.ts";
import { defineCommand } from "../settings/define_command.ts";
import { type Facts, factsOf } from "../facts/facts.ts";
import { flags } from "../settings/flags.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

const PARTS = ["products", "kernels", "generation", "rollouts", "update"] as const;
type Part = typeof PARTS[number] | "peaks";

const settings = {
  model: flags.model,
  weights: flags.weights,
  parts: choices(PARTS, "What to measure, after the peaks", { default: PARTS, placeholder: "parts" }),
  tune: flag(
    "Measure which tiles products run fastest with on this adapter, and keep them for all later commands",
  ),
  count: flag(
    "Count dispatches and barriers of a token and of an update on cards that need not be here, and measure nothing",
  ),
  rounds: integer("Repetitions; shown are medians", { default: 5, min: 1 }),
  rows: integer("Rows of the kernels' inputs", { default: 512, min: 8, max: 4096 }),
  thinkingTokens: integer("Length of the rollouts' thinking", { default: 32, min: 4 }),
};

/** What was measured: each with its share of the device's measured peak of operations or of bytes. */
export interface BenchReport extends Facts {
  /** Bytes of device memory that the loaded model held. */
  weightBytes: number;
  measured: (Rated & { part: Part })[];
}

/** A measurement with its rates, and the larger of its shares of the peaks. */
interface Rated extends Measured {
  gflops?: number;
  gigabytes?: number;
  share: number;
}

/** `softcot bench`: how fast this device does what training needs. */
export const benchCommand = defineCommand({
  description:
    `Measure this device: its peaks, then the products, kernels, generation, rollouts and update of a model.

Operations and bytes are the useful ones, rates follow from the median of the rounds. The share is that of the peak \
measured in the same run: of multiply-adds alone, or of copying. Works of a part take turns, so that ratios between them \
hold on a busy machine. The update is that of f32 weights, whatever --weights says.`,
  settings,
  opensDevice: true,
  examples: [
    ["Everything, on the embedded model", "softcot bench"],
    ["Find the fastest tiles of this adapter, once", "softcot bench --tune"],
    ["Generation alone, of a model of yours", "softcot bench --model MODEL --parts generation,rollouts"],
    ["The same with weights of another type", "softcot bench --model MODEL --weights f16 --parts generation"],
    ["How many dispatches a token takes on GPUs", "softcot bench --model MODEL --count"],
  ],
  async run(
    { model, weights, parts, rounds, rows, thinkingTokens, tune: tunes, count: counts },
    { quiet, print },
  ) {
    if (counts) {
      const report = await count(model, weights);
      return print(report, () => describeCount(report));
    }
    using watch = watchInterrupt("Stopping after this repetition. Press Ctrl-C again to stop at once.");
    if (tunes) {
      using progress = createProgress({ label: "tune", quiet });
      const report = await tune(rounds, progress, watch.signal);
      print(report, () => describeTuning(report));
      return;
    }
    using progress = createProgress({ label: "bench", total: parts.length + 1, quiet });
    const measured: BenchReport["measured"] = [];
    const time = async (part: Part, gpu: Gpu, measurements: Measurement[]) => {
      // Peaks take turns with each part: on a busy machine they are not the same from minute to minute.
      const peaks = part === "peaks" ? [] : peakMeasurements(gpu);
      const results = await measure(gpu, [...peaks, ...measurements], { rounds, signal: watch.signal });
      measured.push(...withShares(results).slice(peaks.length).map((result) => ({ part, ...result })));
      progress.update(new Set(measured.map(({ part }) => part)).size, { part });
    };
    // A device for each: its memory is given back as a whole.
    const apart = async (part: Part, measurements: (gpu: Gpu) => Measurement[]) => {
      await withGpu(async (gpu) => {
        await time(part, gpu, measurements(gpu));
      });
    };
    await apart("peaks", peakMeasurements);
    const { config } = openConfig(model);
    if (parts.includes("products")) await apart("products", (gpu) => productMeasurements(gpu, config));
    if (parts.includes("kernels")) await apart("kernels", (gpu) => kernelMeasurements(gpu, config, rows));
    await withGpu(async (gpu) => {
      const found = await findModel(gpu, model, { weights });
      const weightBytes = gpu.arena.bytes;
      if (parts.includes("generation")) await time("generation", gpu, generationMeasurements(found));
      if (parts.includes("rollouts")) await time("rollouts", gpu, rolloutMeasurements(found, thinkingTokens));
      if (parts.includes("update")) {
        const free = deviceMemory(gpu.adapter)?.free ?? Infinity;
        if (trainingStateBytes(config) < free) {
          freeModel(found.model);
          const trained = await findModel(gpu, model);
          await time("update", gpu, [updateMeasurement(trained, thinkingTokens)]);
        } else progress.log("the update is left out: weights, gradients and moments do not fit");
      }
      const report: BenchReport = { ...factsOf(gpu, model, found), weightBytes, measured };
      print(report, () => describe(report));
    });
  },
});

function openConfig(model: string) {
  using files = openModelFiles(model);
  return { config: files.config };
}

function withShares(measured: readonly Measured[]): Rated[] {
  const rates = measured.map(({ flops, bytes, seconds }) => ({
    ...(flops === undefined ? {} : { gflops: flops / seconds / 1e9 }),
    ...(bytes === undefined ? {} : { gigabytes: bytes / seconds / 1e9 }),
  }));
  const peak = (rate: "gflops" | "gigabytes") => Math.max(...rates.map((each) => each[rate] ?? 0));
  const [most, fastest] = [peak("gflops"), peak("gigabytes")];
  return measured.map((each, i) => {
    const { gflops = 0, gigabytes = 0 } = rates[i];
    return { ...each, ...rates[i], share: Math.max(gflops / most, gigabytes / fastest) };
  });
}

function describe({ device, model, weightBytes, measured }: BenchReport): string {
  const rows = measured.map(({ part, name, seconds, gflops, gigabytes, tokens, share }, i) => [
    measured[i - 1]?.part === part ? "" : part,
    name,
    seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1e3).toPrecision(3)} ms`,
    gflops?.toFixed(1) ?? "",
    gigabytes?.toFixed(1) ?? "",
    tokens === undefined ? "" : (tokens / seconds).toFixed(0),
    `${(100 * share).toFixed(0)}%`,
  ]);
  return [
    `${device.name}; model ${model.name}, ${model.parameters.toLocaleString("en")} parameters, ${
      inBytes(weightBytes)
    } with weights ${model.weights}`,
    table(rows, {
      header: ["part", "what", "time", "GFLOP/s", "GB/s", "tokens/s", "of peak"],
      align: ["left", "left", "right", "right", "right", "right", "right"],
    }),
  ].join("\n\n");
}
