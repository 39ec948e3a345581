/**
 * What one dispatch costs that does next to nothing: microseconds of wall time and of the processor (all threads of this
 * process), for 1, 2 and 16 workgroups, writing and not writing, and for 48 that work for some microseconds each. Decoding
 * at batch 1 is made of hundreds of such.
 *
 *     deno run -A tests/bench/dispatch_bench.ts [--rounds 5] [--free] [--json]
 *
 * --free: the software device's workers may run on every core, as if they were not bound to one each (Linux).
 * With LP_NUM_THREADS=0 the software device computes in the thread that gives the orders: the difference is what waking
 * its workers and being woken by them costs.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { run } from "../../gpu/kernel.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    free: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const DISPATCHES = 2000;
const gpu = await openGpu();
if (values.free) {
  const args = ["-a", "-p", "-c", `0-${navigator.hardwareConcurrency - 1}`, String(Deno.pid)];
  await new Deno.Command("taskset", { args, stdout: "null" }).output();
}
const probe = gpu.arena.create([1], "f32", "probe");
const [x, y] = ["x", "y"].map((name) => gpu.arena.create([128], "f32", name));

type Work = "write" | "read" | "multiply";
const BODIES: Record<Work, string> = {
  write: "y[id.x] = x[id.x] + p.limit;",
  read: "if (x[id.x] + y[id.x] > p.limit) { return; }",
  multiply: `var value = x[id.x % 128u];
  for (var i = 0u; i < 4000u; i++) { value = fma(value, p.limit, 0.5); }
  y[id.x % 128u] = value;`,
};
const source = (work: Work) => ({
  label: `bench_${work}`,
  code: () =>
    `struct Params { limit: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, ${work === "read" ? "read" : "read_write"}> y: array<f32>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  ${BODIES[work]}
}`,
});
const ways: { groups: number; work: Work }[] = [
  ...[1, 2, 16].flatMap((groups) => (["write", "read"] as const).map((work) => ({ groups, work }))),
  { groups: 48, work: "multiply" },
];

/** Microseconds of a dispatch: on the clock, and of all threads. */
async function spent({ groups, work }: typeof ways[number]): Promise<{ wall: number; cpu: number }> {
  const [from, started] = [process.cpuUsage(), performance.now()];
  for (let i = 0; i < DISPATCHES; i++) run(gpu, source(work), [x, y], { limit: 1 }, [groups]);
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
    rows.map(({ groups, work, wall, cpu }) => [
      groups,
      work,
      wall.toFixed(1),
      cpu.toFixed(1),
    ]),
    { header: ["workgroups", "", "us on the clock", "us of processors"] },
  ));
}
gpu.close();
Deno.exit(0);
