import { UserError } from "./errors.ts";
import { type Arena, createArena } from "./arena.ts";
import { type Commands, createCommands } from "./encoder.ts";
import { type ErrorLog, watchErrors } from "./error_log.ts";
import type { Pipeline } from "./kernel.ts";
import { pinWorkers, threads } from "./pin_workers.ts";
import { createProfile, type Profile } from "./profile.ts";
import { createReader, type Reader } from "./readback.ts";
import { readTuning, type Tuning } from "./tuning.ts";

/** How matrix products are tiled: `broadcast` for software devices, `tile` (shared memory) for real GPUs. */
export type MatmulFamily = "broadcast" | "tile";

/** Options of {@link openGpu}; all have defaults taken from the adapter. */
export interface GpuOptions {
  /** Bytes that one storage binding may span: lower than the device's limit to test weights in chunks. */
  maxBinding?: number;
  /** Forces a family of matmul kernels. */
  matmulFamily?: MatmulFamily;
  /** Forbids loads of 64-bit words, to test what devices without them run. */
  narrowLoads?: boolean;
  /** Measures the time of every dispatch, if the adapter has timestamp queries. */
  profile?: boolean;
}

/** An open device with all that the operations need: made once, passed to every operation first. */
export interface Gpu {
  /** WebGPU's own device. */
  readonly device: GPUDevice;
  /** What it says of itself. */
  readonly adapter: AdapterFacts;
  /** Lanes of a subgroup, measured. */
  readonly subgroupSize: number;
  /** What a workgroup may have. */
  readonly workgroups: WorkgroupLimits;
  /** Largest storage binding in bytes. */
  readonly maxBinding: number;
  /** Which matmul kernels run. */
  readonly matmulFamily: MatmulFamily;
  /** Whether kernels may load words in pairs (u64): half the loads, each as costly, on the software device. */
  readonly wideLoads: boolean;
  /** Tiles that were measured to be the fastest here; empty where nobody has measured. */
  readonly tuning: Tuning;
  /** Its memory. */
  readonly arena: Arena;
  /** What is recorded and submitted. */
  readonly commands: Commands;
  /** The way back to the CPU. */
  readonly reader: Reader;
  /** Errors reported out of band. */
  readonly errors: ErrorLog;
  /** Time by kernel; empty unless asked for. */
  readonly profile: Profile;
  /** Compiled kernels by label. */
  readonly pipelines: Map<string, Pipeline>;
  /** Ends all work and frees the device. */
  close(): void;
}

/** What a workgroup may have, from the device's limits. */
export interface WorkgroupLimits {
  /** Invocations in one dimension. */
  threads: number;
  /** Bytes of workgroup memory. */
  bytes: number;
  /** The fewest lanes that a kernel's subgroups may have; 1 where the adapter does not say. */
  minSubgroup: number;
  /** The most. */
  maxSubgroup: number;
}

/** What the adapter says of itself, with the features that were granted. */
export interface AdapterFacts {
  /** Name with the driver's description. */
  name: string;
  /** As WebGPU reports it. */
  vendor: string;
  /** As WebGPU reports it; often empty. */
  architecture: string;
  /** As WebGPU reports it: driver and version. */
  description: string;
  /** Whether it computes on the CPU. */
  software: boolean;
  /** Granted ones, sorted. */
  features: string[];
}

const WANTED: GPUFeatureName[] = ["timestamp-query", "shader-f16"];

const WIDE = "wgpu-shader-int64" as GPUFeatureName;

/**
 * Opens the best Vulkan device with all limits it has.
 * @throws UserError if there is no adapter, or none with subgroup operations.
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  // Read before the first requestAdapter: without it a GL device may be taken in silence.
  if (!Deno.env.has("DENO_WEBGPU_BACKEND")) Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new UserError(
      "Cannot open a GPU: no Vulkan adapter was found, one is needed",
      "install the GPU's Vulkan driver, or the software device: apt-get install mesa-vulkan-drivers libvulkan1",
    );
  }
  const before = threads();
  const device = await requestDevice(adapter);
  if (isLlvmpipe(adapter)) pinWorkers(before);
  const errors = watchErrors(device);
  const facts = describe(adapter, device);
  const arena = createArena(device);
  const profile = createProfile(device, options.profile === true && device.features.has("timestamp-query"));
  const commands = createCommands(device, errors, profile);
  const reader = createReader(device, commands, errors);
  const maxBinding = Math.min(options.maxBinding ?? Infinity, device.limits.maxStorageBufferBindingSize);
  const gpu: Gpu = {
    device,
    adapter: facts,
    subgroupSize: await measureSubgroupSize(device),
    workgroups: workgroupLimits(adapter, device),
    maxBinding,
    matmulFamily: options.matmulFamily ?? (facts.software ? "broadcast" : "tile"),
    wideLoads: options.narrowLoads !== true && device.features.has(WIDE),
    tuning: options.matmulFamily === undefined ? readTuning(facts) : new Map(),
    arena,
    commands,
    reader,
    errors,
    profile,
    pipelines: new Map(),
    close() {
      reader.close();
      device.destroy();
    },
  };
  arena.beforeDestroy = () => {
    commands.flush();
    gpu.pipelines.forEach((pipeline) => pipeline.groups.clear());
  };
  return gpu;
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, number>)[key];
    if (typeof value === "number") limits[key] = value;
  }
  const features = WANTED.filter((name) => adapter.features.has(name));
  // Granted though `adapter.features` never lists them.
  const hidden = ["subgroups" as GPUFeatureName];
  const request = (extra: GPUFeatureName[]) =>
    adapter.requestDevice({
      label: "softcot",
      requiredLimits: limits,
      requiredFeatures: [...features, ...hidden, ...extra],
    });
  try {
    return await request([WIDE]).catch(() => request([]));
  } catch (cause) {
    throw new UserError(
      `Cannot open the GPU ${adapter.info?.description ?? ""}: ${(cause as Error).message}, ` +
        "a device with subgroup operations is needed",
      "update its Vulkan driver, or choose another device with VK_DRIVER_FILES; `softcot doctor` shows what is there",
    );
  }
}

const isLlvmpipe = ({ info }: GPUAdapter): boolean => /llvmpipe/i.test(`${info.device} ${info.description}`);

function describe(adapter: GPUAdapter, { features }: GPUDevice): AdapterFacts {
  const info = adapter.info;
  // Some give a bare number of the device: the description alone names it then.
  const device = /^(0x[\da-f]+|\d*)$/i.test(info.device) ? "" : info.device;
  const name = device || info.description || info.vendor || "unknown";
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  return {
    name: device && info.description ? `${device} (${info.description})` : name,
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    software: /llvmpipe|lavapipe|swiftshader|cpu/.test(text),
    features: [...features as unknown as Iterable<string>].sort(),
  };
}

function workgroupLimits({ info }: GPUAdapter, { limits }: GPUDevice): WorkgroupLimits {
  const { subgroupMinSize: minSubgroup, subgroupMaxSize: maxSubgroup } = info as Partial<
    Record<"subgroupMinSize" | "subgroupMaxSize", number>
  >;
  return {
    threads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    bytes: limits.maxComputeWorkgroupStorageSize,
    ...(minSubgroup && maxSubgroup
      ? { minSubgroup, maxSubgroup }
      : { minSubgroup: 1, maxSubgroup: Infinity }),
  };
}

/** Runs one workgroup and reads how many lanes share its subgroup. */
async function measureSubgroupSize(device: GPUDevice): Promise<number> {
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(subgroup_size) size: u32) { out[0] = size; }`;
  const pipeline = device.createComputePipeline({
    label: "subgroup_size",
    layout: "auto",
    compute: { module: device.createShaderModule({ label: "subgroup_size", code }), entryPoint: "main" },
  });
  const buffer = device.createBuffer({
    label: "subgroup_size",
    size: 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const read = device.createBuffer({
    label: "subgroup_size read",
    size: 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder({ label: "subgroup_size" });
  const pass = encoder.beginComputePass({ label: "subgroup_size" });
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      label: "subgroup_size",
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, read, 0, 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const size = new Uint32Array(read.getMappedRange())[0];
  read.unmap();
  buffer.destroy();
  read.destroy();
  return size;
}
