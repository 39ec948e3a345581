/**
 * Two checkouts of this project in turns, in one process: prefill, decoding, soft rollouts and the update of the embedded model, or
 * prefill and decoding of another. So what else the machine does meets both alike.
 *
 *     deno run -A tests/bench/turns_bench.ts BEFORE [AFTER] [--model builtin] [--weights exact] [--only TEXT] [--rounds 21]
 *
 * BEFORE and AFTER are folders, AFTER this one if left out. Shown is how many times as fast AFTER is: by the best of the rounds, by
 * their medians, and by the median of the ratios of neighbours. On a busy machine the first is the steadiest.
 */
import { parseArgs } from "node:util";
import { type Measurement, median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { root } from "../support/places.ts";

const { values, positionals: [before, after = root] } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: "builtin" },
    weights: { type: "string", default: "exact" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "21" },
  },
});
if (before === undefined) throw new Error("Cannot compare: the folder of another checkout is needed");
// Milliseconds of a repetition, below which several are timed together.
const LEAST = 60;

/** The works of a checkout, on a device of its own. */
async function open(folder: string): Promise<(work: number, repeats: number) => Promise<number>> {
  const load = (file: string) => import(`file://${Deno.realPathSync(folder)}/${file}`);
  const gpu: Gpu = await (await load("gpu/device/open_gpu.ts")).openGpu();
  const { findModel } = await load("model/files/find_model.ts");
  const parts = await load("cli/bench/model_parts.ts");
  const found = await findModel(gpu, values.model, { weights: values.weights });
  const list: Measurement[] = [...parts.generationMeasurements(found)];
  if (values.model === "builtin") {
    const soft = parts.rolloutMeasurements(found, 32).filter(({ name }: Measurement) =>
      name.includes("soft")
    );
    list.push(...soft, parts.updateMeasurement(found, 32));
  }
  const works = list.filter(({ name }) => name.includes(values.only));
  names = works.map(({ name }) => name);
  const probe = gpu.arena.create([1], "f32", "probe");
  return async (work, repeats) => {
    const started = performance.now();
    for (let i = 0; i < repeats; i++) await works[work].run();
    await gpu.reader.read(probe);
    return (performance.now() - started) / repeats;
  };
}

let names: string[] = [];
const sides = [await open(before), await open(after)];
const rows = [];
for (const [work, name] of names.entries()) {
  for (const side of sides) await side(work, 1);
  const repeats = Math.max(1, Math.min(10, Math.ceil(LEAST / await sides[0](work, 1))));
  const times: number[][] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) times[side].push(await sides[side](work, repeats));
  }
  const [old, now] = times;
  const ratios = old.map((time, round) => time / now[round]);
  const best = times.map((all) => Math.min(...all));
  rows.push([
    name,
    ...best.map((time) => time.toFixed(2)),
    ...[best[0] / best[1], median(old) / median(now), median(ratios)].map((ratio) => ratio.toFixed(2)),
  ]);
}
console.log(table(rows, {
  header: ["", "before, ms", "after, ms", "speed, best", "medians", "neighbours"],
  align: ["left", "right", "right", "right", "right", "right"],
}));
Deno.exit(0);
