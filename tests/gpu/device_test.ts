import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { checkDevice } from "../../gpu/device/check_device.ts";
import { matmulError } from "../../gpu/device/matmul_error.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { DeviceLostError, GpuError, OutOfMemoryError, UserError } from "../../gpu/errors.ts";
import { run } from "../../gpu/kernel.ts";
import { createMatrix, downloadMatrix, freeMatrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { asMatrix, firstRows, reshape, rowsOf } from "../../gpu/tensor.ts";
import { columnSum } from "../../gpu/ops/reduce/column_sum.ts";
import { addInto } from "../../gpu/ops/elementwise/elementwise.ts";
import { matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();

const kernel = (label: string, statement: string, lanes = 64) => ({
  label,
  code: () =>
    `struct Params { n: u32, by: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(${lanes})
fn main(@builtin(global_invocation_id) id: vec3<u32>) { if (id.x < p.n) { ${statement} } }`,
});
const add = kernel("test_add", "x[id.x] += p.by;");

Deno.test("openGpu tells what the device is and can", () => {
  const { gpu } = t;
  assert(gpu.adapter.name.length > 0);
  assert([2, 4, 8, 16, 32, 64, 128].includes(gpu.subgroupSize), `subgroups of ${gpu.subgroupSize}`);
  const { minSubgroup, maxSubgroup } = gpu.workgroups;
  assert(minSubgroup <= gpu.subgroupSize && gpu.subgroupSize <= maxSubgroup, "lanes within the adapter's");
  assert(gpu.maxBinding >= 128 << 20, "limits of the adapter, not the defaults");
  assertEquals(gpu.matmulFamily, gpu.adapter.software ? "broadcast" : "tile");
});

Deno.test("kernels for fewer lanes than there are compute rightly; for more the device is refused by name", async () => {
  const { subgroupSize: lanes, adapter } = t.gpu;
  const fewer = await openGpu({ subgroupSize: Math.max(2, lanes / 2) }); // fewer than two are no subgroup
  try {
    for (const dtype of ["f32", "f16"] as const) {
      assert(await matmulError(fewer, [2, 256, 64], dtype) < 1e-7);
    }
  } finally {
    fewer.close();
  }
  const refused = await assertRejects(() => openGpu({ subgroupSize: 2 * lanes }), UserError);
  assertStringIncludes(
    refused.message,
    `Cannot use the GPU ${adapter.name}: its subgroups have ${lanes} lanes`,
  );
  assertStringIncludes(refused.message, `made for ${2 * lanes}`);
});

Deno.test("a device that is lost or without memory while it is tried is told as that, and no driver is blamed", async () => {
  const { gpu } = t;
  const reporting = (error: GpuError) => {
    const check = () => {
      throw error;
    };
    return checkDevice({ ...gpu, errors: { ...gpu.errors, check } });
  };
  for (const error of [new OutOfMemoryError("full"), new DeviceLostError("gone")]) {
    assertEquals(await assertRejects(() => reporting(error)), error);
  }
  const { hint } = await assertRejects(() => reporting(new GpuError("a fault")), UserError);
  assertStringIncludes(hint!, "update its Vulkan driver");
});

Deno.test("a device on which functions compute something else is refused, with what is wrong", async () => {
  const broken = [
    [
      "fn unpack2x16float(w: u32) -> vec2<f32> { return vec2<f32>(f32(w & 1u)); }",
      "product with packed f16 weights",
    ],
    [
      "fn fma(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> vec4<f32> { return c; }",
      "product with f32 weights",
    ],
    ["fn sqrt(x: f32) -> f32 { return x; }", "a norm is wrong"],
    [
      "fn subgroupAdd(x: u32) -> u32 { return x; } fn dot(a: u32, b: u32) -> u32 { return a; }",
      "check_device",
    ],
  ];
  for (const [text, message] of broken) {
    const gpu = { ...t.gpu, wgslHead: `${t.gpu.wgslHead}${text}\n` };
    await assertRejects(() => checkDevice(gpu), UserError, message);
  }
  await checkDevice(t.gpu);
});

Deno.test("each dispatch sees its own parameters, beyond one table of uniforms", async () => {
  const x = t.zeros(64);
  let sum = 0;
  for (let i = 1; i <= 1000; i++) {
    run(t.gpu, add, [x], { n: i % 64 + 1, by: i }, [1]);
    sum += i;
  }
  const values = await t.read(x);
  assertEquals(values[0], sum);
  assertEquals(
    values[63],
    Array.from({ length: 1000 }, (_, i) => i + 1).filter((i) => i % 64 === 63)
      .reduce((a, b) => a + b),
  );
});

Deno.test("two reads begun and fetched in the other order each give their moment", async () => {
  const x = t.zeros(64);
  const first = t.gpu.reader.start(x);
  run(t.gpu, add, [x], { n: 64, by: 5 }, [1]);
  const second = t.gpu.reader.start(x);
  run(t.gpu, add, [x], { n: 64, by: 2 }, [1]);
  assertEquals(new Float32Array(await second())[9], 5);
  assertEquals(new Float32Array(await first())[9], 0);
  assertEquals((await t.read(x))[9], 7);
});

Deno.test("reads of all sizes, many at once", async () => {
  const sizes = [1, 3, 64, 1000, 65537];
  const data = sizes.map((n, i) => random32(i, n));
  const values = await Promise.all(data.map((values) => t.read(t.f32(values))));
  values.forEach((each, i) => assertEquals(each, Float32Array.from(data[i])));
});

Deno.test("uploads come after what was recorded before them, and to an offset", async () => {
  const x = t.zeros(8);
  run(t.gpu, add, [x], { n: 8, by: 1 }, [1]);
  t.gpu.commands.upload(x, new Float32Array([7, 8]), 3);
  run(t.gpu, add, [x], { n: 8, by: 1 }, [1]);
  assertEquals([...await t.read(x)], [2, 2, 2, 8, 9, 2, 2, 2]);
});

Deno.test("an upload beyond a tensor's end throws", () => {
  const x = t.zeros(8);
  for (const [data, offset] of [[new Float32Array(9), 0], [new Float32Array(2), 7]] as const) {
    assertThrows(() => t.gpu.commands.upload(x, data, offset), Error, "it is smaller");
  }
});

Deno.test("copies and fills", async () => {
  const [x, y] = [t.f32([1, 2, 3, 4, 5, 6]), t.zeros(6)];
  t.gpu.commands.copy(x, 1, y, 3, 2);
  assertEquals([...await t.read(y)], [0, 0, 0, 2, 3, 0]);
  t.gpu.commands.zero(x);
  assertEquals([...await t.read(x)], [0, 0, 0, 0, 0, 0]);
});

Deno.test("a shader that does not compile is thrown by the next read, with its name; then all is well", async () => {
  const x = t.zeros(64);
  run(t.gpu, kernel("test_bad", "x[id.x] = nothing;"), [x], { n: 64, by: 0 }, [1]);
  const error = await assertRejects(() => t.read(x), GpuError, "test_bad");
  assert(error.message.includes("nothing"), error.message);
  run(t.gpu, add, [x], { n: 64, by: 3 }, [1]);
  assertEquals((await t.read(x))[0], 3);
});

Deno.test("a dispatch beyond the device's limits is thrown by the next read; then all is well", async () => {
  const x = t.zeros(64);
  run(t.gpu, add, [x], { n: 64, by: 1 }, [1]);
  await t.read(x);
  const pipeline = t.gpu.pipelines.get("test_add")!;
  const [group] = pipeline.groups.values();
  t.gpu.commands.dispatch(pipeline, group, { n: 64, by: 1 }, [70000]);
  await assertRejects(() => t.read(x), GpuError, "70000");
  run(t.gpu, kernel("test_wide", "x[id.x] = 1.0;", 99999), [x], { n: 64, by: 0 }, [1]);
  await assertRejects(() => t.read(x), GpuError, "test_wide");
  run(t.gpu, add, [x], { n: 64, by: 3 }, [1]);
  assertEquals((await t.read(x))[0], 4);
});

Deno.test("run checks tensors, parameters and workgroups before it records anything", () => {
  const x = t.zeros(4);
  const { counts } = t.gpu.commands;
  const before = counts.dispatches;
  assertThrows(() => run(t.gpu, add, [x, x], { n: 4, by: 0 }, [1]), Error, "2 tensors given, 1 needed");
  assertThrows(() => run(t.gpu, add, [x], { n: 4 }, [1]), Error, "parameter by is missing");
  assertThrows(() => run(t.gpu, add, [x], { n: 4, by: 0 }, [1, 65536]), Error, "at most 65535");
  const text = { label: "test_no_params", code: () => "fn f() {}" };
  assertThrows(() => run(t.gpu, text, [], {}, [1]), Error, "no struct Params");
  run(t.gpu, add, [x], { n: 4, by: 0 }, [0]); // No work.
  assertEquals(counts.dispatches, before);
});

Deno.test("ten identical rounds take no new memory after the first", async () => {
  const { gpu } = t;
  const x = t.f32(random32(1, 300 * 60), [300, 60]);
  const w = t.matrix(random32(2, 75 * 60), 75, 60);
  const out = t.zeros(75);
  const round = () => {
    using scratch = gpu.arena.scratch();
    const y = scratch.f32([300, 75], "y");
    {
      using inner = gpu.arena.scratch();
      const z = inner.f32([300, 75], "z");
      matmulNT(gpu, x, w, z);
      matmulNT(gpu, x, w, y);
      addInto(gpu, y, z);
    }
    columnSum(gpu, y, out, false);
  };
  round();
  const first = await t.read(out);
  const { bytes } = gpu.arena;
  for (let i = 0; i < 9; i++) {
    round();
    assertEquals(await t.read(out), first);
  }
  assertEquals(gpu.arena.bytes, bytes);
  assert(gpu.arena.peakBytes >= bytes);
});

Deno.test("a buffer larger than the device allows throws with its name", () => {
  assertThrows(() => t.gpu.arena.create([2 ** 31], "f32", "giant"), Error, "Cannot create giant");
});

Deno.test("what uses a freed tensor is submitted before it is destroyed", async () => {
  const { gpu } = t;
  const [x, y] = [gpu.arena.create([64], "f32", "short-lived"), t.zeros(64)];
  run(gpu, add, [x], { n: 64, by: 4 }, [1]);
  gpu.commands.copy(x, 0, y, 0, 64);
  gpu.arena.free(x);
  assertEquals((await t.read(y))[63], 4);
});

Deno.test("shapes: rows and columns, reshape, first rows, views at multiples of 256 bytes", async () => {
  const x = { ...t.f32(Array.from({ length: 512 }, (_, i) => i), [8, 4, 16]), label: "x" };
  assertEquals(asMatrix(x), { rows: 32, cols: 16 });
  assertEquals(reshape(x, [4, 128]).shape, [4, 128]);
  assertThrows(() => reshape(x, [3, 3]), Error, "Cannot reshape x[8, 4, 16] to [3,3]");
  assertEquals(firstRows(x, 3).shape, [3, 16]);
  assertThrows(() => firstRows(x, 33), Error, "it has 32");
  const view = rowsOf(x, 2, 3);
  assertEquals([...(await t.read(view)).subarray(0, 2)], [128, 129]);
  addInto(t.gpu, view, t.f32([1000]));
  const values = await t.read(x);
  assertEquals([values[127], values[128], values[319], values[320]], [127, 1128, 1319, 320]);
  assertThrows(() => rowsOf(x, 7, 2), Error, "past its end");
  assertThrows(() => rowsOf(reshape(x, [64, 8]), 1, 2), Error, "unaligned");
});

Deno.test("the profile gives each kernel's time and number, beyond one command buffer", async () => {
  const gpu = await openGpu({ profile: true });
  try {
    assert(gpu.profile.on, "the software device has timestamps");
    const x = gpu.arena.create([1 << 16], "f32", "x");
    for (let i = 0; i < 300; i++) run(gpu, add, [x], { n: 1 << 16, by: 1 }, [1024]);
    columnSum(gpu, reshape(x, [256, 256]), gpu.arena.create([256], "f32", "sum"), false);
    assertEquals(new Float32Array(await gpu.reader.read(x))[77], 300);
    const report = await gpu.profile.report();
    const entry = report.find(({ label }) => label === "test_add")!;
    assertEquals(entry.dispatches, 300);
    assertEquals(report.find(({ label }) => label === "column_sum")!.dispatches, 2);
    assert(report.every(({ nanoseconds }) => nanoseconds > 0));
    assert(entry.nanoseconds < 60e9);
  } finally {
    gpu.close();
  }
});

Deno.test("a second device with a lower binding limit splits matrices; a row beyond it throws", async () => {
  const gpu = await openGpu({ maxBinding: 1000 });
  try {
    assertEquals(gpu.maxBinding, 992, "whole runs of what buffers are rounded to");
    const matrix = createMatrix(gpu, 50, 12, "f32", "w"); // 20 rows fit: 16 a chunk
    assertEquals(matrix.chunks.map((chunk) => chunk.shape[0]), [16, 16, 16, 2]);
    const data = Float32Array.from(random32(1, 600));
    uploadRows(gpu, matrix, 0, data);
    assertEquals(await downloadMatrix(gpu, matrix), data);
    freeMatrix(gpu, matrix);
    assertThrows(() => createMatrix(gpu, 2, 251, "f32", "w"), Error, "a row exceeds the binding limit 992");
  } finally {
    gpu.close();
  }
});
