/**
 * What one dispatch costs that does next to nothing: microseconds of wall time and of the processor (all threads of this
 * process), for 1, 2 and 16 workgroups, writing and not writing. Decoding at batch 1 is made of hundreds of such.
 *
 *     deno run -A tests/bench/dispatch_bench.ts [--rounds 5] [--json]
 *
 * With LP_NUM_THREADS=0 the software device computes in the thread that gives the orders: the difference is what waking
 * its workers and being woken by them costs.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/table.ts";
import { openGpu } from "../../gpu/device.ts";
import { run } from "../../gpu/kernel.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, json: { type: "boolean", default: false } },
});
const DISPATCHES = 2000;
const gpu = await openGpu();
const probe = gpu.arena.create([1], "f32", "probe");
const [x, y] = ["x", "y"].map((name) => gpu.arena.create([128], "f32", name));

const source = (write: boolean) => ({
  label: write ? "bench_write" : "bench_read",
  code: () =>
    `struct Params { limit: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, ${write ? "read_write" : "read"}> y: array<f32>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  ${write ? "y[id.x] = x[id.x] + p.limit;" : "if (x[id.x] + y[id.x] > p.limit) { return; }"}
}`,
});
const ways = [1, 2, 16].flatMap((groups) => [true, false].map((write) => ({ groups, write })));

/** Microseconds of a dispatch: on the clock, and of all threads. */
async function spent({ groups, write }: typeof ways[number]): Promise<{ wall: number; cpu: number }> {
  const [from, started] = [process.cpuUsage(), performance.now()];
  for (let i = 0; i < DISPATCHES; i++) run(gpu, source(write), [x, y], { limit: 1 }, [groups]);
  await gpu.reader.read(probe);
  const { user, system } = process.cpuUsage(from);
  return { wall: 1e3 * (performance.now() - started) / DISPATCHES, cpu: (user + system) / DISPATCHES };
}

const found = ways.map(() => [] as { wall: number; cpu: number }[]);
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [i, way] of ways.entries()) {
    const time = await spent(way);
    if (round > 0) found[i].push(time);
  }
}
const rows = ways.map((way, i) => ({
  ...way,
  wall: median(found[i].map(({ wall }) => wall)),
  cpu: median(found[i].map(({ cpu }) => cpu)),
}));
if (values.json) console.log(JSON.stringify({ device: gpu.adapter.name, rows }));
else {
  console.log(`device: ${gpu.adapter.name}; medians of ${values.rounds} rounds of ${DISPATCHES}`);
  console.log(table(
    rows.map(({ groups, write, wall, cpu }) => [
      groups,
      write ? "write" : "read",
      wall.toFixed(1),
      cpu.toFixed(1),
    ]),
    { header: ["workgroups", "", "us on the clock", "us of processors"] },
  ));
}
gpu.close();
Deno.exit(0);
