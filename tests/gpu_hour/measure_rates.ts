/**
 * Peaks of the device, and products of a Llama 1B's shapes in its kernels' own family.
 *
 *     deno run -A tests/gpu_hour/measure_rates.ts [--tiny]
 */
import { measure } from "../../cli/bench/measure.ts";
import { peakMeasurements, productMeasurements } from "../../cli/bench/parts.ts";
import { measuring } from "./measuring.ts";
import type { Figure } from "./part.ts";
import { SHAPES, tinyShape } from "./shapes.ts";

const tiny = Deno.args.includes("--tiny");
const shape = SHAPES["llama-1b"];
await measuring(async (gpu) => {
  const products = productMeasurements(gpu, tiny ? tinyShape(shape) : shape);
  const measured = await measure(gpu, [...peakMeasurements(gpu), ...products], { rounds: tiny ? 1 : 3 });
  return measured.map(({ name, seconds, flops, bytes }): Figure =>
    flops === undefined
      ? { what: name, value: bytes! / seconds / 1e9, unit: "GB/s" }
      : { what: name, value: flops / seconds / 1e9, unit: "GFLOP/s" }
  );
});
