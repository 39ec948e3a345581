/**
 * What the device is, what it grants beside what softcot asks for, and how long it takes to open.
 *
 *     deno run -A tests/gpu_hour/measure_device.ts
 */
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { measuring } from "./measuring.ts";
import type { Figure } from "./part.ts";

// What would make products faster, if Deno granted it; `shader-f16` is packed halves and sums of halves.
const WISHED = [
  "shader-f16",
  "wgpu-shader-int64",
  "wgpu-cooperative-matrix",
  "wgpu-subgroup-barrier",
  "wgpu-shader-float32-atomic",
  "timestamp-query",
  "wgpu-mappable-primary-buffers",
];

// Tensor cores in naga's WGSL: 8 x 8 by 8 x 8.
const COOPERATIVE = `enable wgpu_cooperative_matrix;
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(32) fn main() {
  let a = coopLoad<coop_mat8x8<f32, A>>(&out[0], 8u);
  let b = coopLoad<coop_mat8x8<f32, B>>(&out[64], 8u);
  coopStore(coopMultiplyAdd(a, b, coopLoad<coop_mat8x8<f32, C>>(&out[128], 8u)), &out[192], 8u);
}`;

const HALF_SUMS = `enable f16;
@group(0) @binding(0) var<storage, read_write> out: array<f16>;
@compute @workgroup_size(32) fn main(@builtin(local_invocation_index) i: u32) { out[i] = fma(out[i], 0.5h, out[i]); }`;

const started = performance.now();
await measuring(async (gpu) => {
  const opened = (performance.now() - started) / 1000;
  const { adapter, device, subgroupSize, workgroups } = gpu;
  const figures: Figure[] = [
    { what: "opened", value: opened, unit: "s" },
    {
      what: "lanes of a subgroup",
      value: subgroupSize,
      unit: "",
      near: "NVIDIA 32, AMD 32 or 64, Intel 8 to 32",
    },
    { what: "lanes at least", value: workgroups.minSubgroup, unit: "" },
    { what: "lanes at most", value: workgroups.maxSubgroup, unit: "" },
    { what: "free memory", value: (deviceMemory(adapter)?.free ?? 0) / 2 ** 30, unit: "GiB" },
    ...limits(device),
  ];
  for (const feature of WISHED) {
    figures.push({ what: `${feature} granted`, value: Number(await isGranted(feature)), unit: "" });
  }
  figures.push({
    what: "cooperative matrices compile",
    value: Number(await compiles(COOPERATIVE, ["wgpu-cooperative-matrix"])),
    unit: "",
    near: "0: Deno opens devices without wgpu's experimental features",
  });
  figures.push({
    what: "f16 sums compile",
    value: Number(await compiles(HALF_SUMS, ["shader-f16"])),
    unit: "",
    near: "1 on cards with f16 arithmetic",
  });
  return figures;
});

function limits({ limits }: GPUDevice): Figure[] {
  return [
    {
      what: "binding",
      value: limits.maxStorageBufferBindingSize / 2 ** 20,
      unit: "MiB",
      near: "NVIDIA 2048",
    },
    { what: "buffer", value: limits.maxBufferSize / 2 ** 20, unit: "MiB", near: "NVIDIA 4096 or more" },
    {
      what: "workgroup memory",
      value: limits.maxComputeWorkgroupStorageSize / 1024,
      unit: "KiB",
      near: "48",
    },
    { what: "invocations", value: limits.maxComputeInvocationsPerWorkgroup, unit: "", near: "1024" },
    { what: "storage buffers", value: limits.maxStorageBuffersPerShaderStage, unit: "" },
  ];
}

async function open(features: string[]): Promise<GPUDevice | undefined> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  try {
    return await adapter?.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
  } catch {
    return undefined; // not granted
  }
}

async function isGranted(feature: string): Promise<boolean> {
  const device = await open([feature]);
  const granted = device?.features.has(feature as GPUFeatureName) === true;
  device?.destroy();
  return granted;
}

async function compiles(code: string, features: string[]): Promise<boolean> {
  const device = await open(features);
  if (!device) return false;
  device.pushErrorScope("validation");
  device.createComputePipeline({
    label: "wished",
    layout: "auto",
    compute: { module: device.createShaderModule({ label: "wished", code }), entryPoint: "main" },
  });
  const error = await device.popErrorScope();
  device.destroy();
  return error === null;
}
