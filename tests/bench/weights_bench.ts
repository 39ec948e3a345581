/**
 * One model with its weights in f32, f16 and packed, side by side: time to load, memory held, prefill and decoding.
 *
 *     softcot deno run -A tests/bench/weights_bench.ts [--model MODEL] [--rounds 5]
 *
 * Measurements of the three take turns, so that ratios hold on a busy machine.
 */
import { parseArgs } from "node:util";
import { measure, type Measurement, median } from "../../cli/bench/measure.ts";
import { generationMeasurements } from "../../cli/bench/model_parts.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { freeModel } from "../../model/transformer/transformer.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "../shared/models/smollm2-135m-instruct" },
    rounds: { type: "string", default: "5" },
  },
});
const rounds = Number(values.rounds);
const FORMS = ["f32", "f16", "packed"] as const;

const gpu = await openGpu();

/** Seconds to load and bytes held then, by form. */
async function loading(): Promise<{ seconds: number; bytes: number }[]> {
  const seconds: number[][] = FORMS.map(() => []);
  const bytes: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [i, weights] of FORMS.entries()) {
      const before = gpu.arena.bytes;
      const started = performance.now();
      const { model } = await findModel(gpu, values.model, { weights });
      await gpu.reader.read(model.params.finalNorm.chunks[0]);
      // The first round compiles and makes the buffers that later ones share.
      if (round > 0) seconds[i].push((performance.now() - started) / 1000);
      bytes[i] = gpu.arena.bytes - before;
      freeModel(model);
    }
  }
  return FORMS.map((_, i) => ({ seconds: median(seconds[i]), bytes: bytes[i] }));
}

const loaded = await loading();
const measurements: Measurement[][] = [];
for (const weights of FORMS) {
  measurements.push(generationMeasurements(await findModel(gpu, values.model, { weights })));
}
const turns = measurements[0].flatMap((_, w) => measurements.map((of) => of[w]));
const measured = await measure(gpu, turns, { rounds });
gpu.close();

const ratios = (
  numbers: number[],
  show: (value: number) => string,
  more: (a: number, b: number) => number,
) => [
  ...numbers.map(show),
  ...numbers.slice(1).map((value) => more(value, numbers[0]).toFixed(2)),
];
const rows = [
  ["loading, s", ...ratios(loaded.map(({ seconds }) => seconds), (s) => s.toFixed(2), (a, b) => b / a)],
  [
    "memory, MiB",
    ...ratios(loaded.map(({ bytes }) => bytes / 2 ** 20), (mib) => mib.toFixed(1), (a, b) => a / b),
  ],
  ...measurements[0].map(({ name, tokens }, w) => [
    `${name}, tokens/s`,
    ...ratios(
      FORMS.map((_, i) => tokens! / measured[w * FORMS.length + i].seconds),
      (rate) => rate.toFixed(1),
      (a, b) => a / b,
    ),
  ]),
];
console.log(table(rows, {
  header: ["", ...FORMS, "f16 / f32", "packed / f32"],
  align: ["left", "right", "right", "right", "right", "right"],
}));
