/**
 * Two checkouts of this project in turns, in one process: prefill, decoding, soft rollouts and the update of the embedded model, or
 * prefill and decoding of another. So what else the machine does meets both alike.
 *
 *     deno run -A tests/bench/turns_bench.ts BEFORE [AFTER] [--model builtin] [--weights exact] [--adapter RANK] [--only TEXT]
 *         [--rounds 21] [--cpu]
 *
 * BEFORE and AFTER are folders, AFTER this one if left out. Shown is how many times as fast AFTER is: by the best of the rounds, by
 * their medians, and by the median of the ratios of neighbours. On a busy machine the first is the steadiest.
 */
import { parseArgs } from "node:util";
import type { Measurement } from "../../cli/bench/measure.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { root } from "../support/places.ts";
import { inTurns, type Side } from "./support/in_turns.ts";

const { values, positionals: [before, after = root] } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: "builtin" },
    weights: { type: "string", default: "exact" },
    adapter: { type: "string" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "21" },
    cpu: { type: "boolean", default: false },
  },
});
if (before === undefined) throw new Error("Cannot compare: the folder of another checkout is needed");

/** The works of a checkout, on a device of its own. */
async function open(folder: string): Promise<Side> {
  const load = (file: string) => import(`file://${Deno.realPathSync(folder)}/${file}`);
  const gpu: Gpu = await (await load("gpu/device/open_gpu.ts")).openGpu();
  const { findModel } = await load("model/files/find_model.ts");
  const parts = await load("cli/bench/model_parts.ts");
  const found = await findModel(gpu, values.model, { weights: values.weights });
  if (values.adapter) {
    const { addAdapter } = await load("model/transformer/adapter.ts");
    addAdapter(found.model, { rank: Number(values.adapter), alpha: 32 }, 0);
  }
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
    for (let i = 0; i < repeats; i++) await works[work].run();
    await gpu.reader.read(probe);
  };
}

let names: string[] = [];
const sides = [await open(before), await open(after)] as const;
console.log(
  await inTurns(names, sides, { rounds: Number(values.rounds), clock: values.cpu ? "cpu" : "wall" }),
);
Deno.exit(0);
