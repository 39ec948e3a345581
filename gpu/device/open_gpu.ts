import { DeviceLostError, OutOfMemoryError, UserError } from "../errors.ts";
import { adapterFacts, adapterKind, type WorkgroupLimits, workgroupLimits } from "../adapter.ts";
import { BUFFER_RUN, createArena, LENDABLE } from "../arena.ts";
import { createCommands } from "../commands.ts";
import { watchErrors } from "../error_log.ts";
import type { Gpu, MatmulFamily } from "../gpu.ts";
import { pinWorkers, threads } from "./pin_workers.ts";
import { createProfile } from "../profile.ts";
import { createReader } from "../reader.ts";
import { checkDevice } from "./check_device.ts";
import { measureSubgroups } from "./measure_subgroups.ts";
import type { VulkanDevice } from "./vulkan_devices.ts";
import { explainNoDevice, refuseStandIn } from "./explain_no_device.ts";
import { chooseDevice, numberedDevices } from "./choose_device.ts";
import { readTuning } from "../tuning.ts";

/** Options of {@link openGpu}; all have defaults taken from the adapter. */
export interface GpuOptions {
  /** Bytes that one storage binding may span: lower than the device's limit to test weights in chunks. */
  maxBinding?: number;
  /** Forces a family of matmul kernels. */
  matmulFamily?: MatmulFamily;
  /** Forbids loads of 64-bit words, to test what devices without them run. */
  forbidU64?: boolean;
  /** Makes kernels for subgroups of so many lanes, to test what becomes of a device that has fewer. */
  subgroupSize?: number;
  /** Measures the time of every dispatch, if the adapter has timestamp queries. */
  profile?: boolean;
  /** The device to open, as {@link chooseDevice} takes it; that of SOFTCOT_GPU if left out, else the one that WebGPU prefers. */
  gpu?: string;
}

const WANTED: GPUFeatureName[] = ["timestamp-query", "shader-f16"];

const U64 = "wgpu-shader-int64" as GPUFeatureName;

/**
 * Opens the best Vulkan device with all limits it has.
 * @throws UserError if there is no adapter, none with subgroup operations, or one that computes wrong numbers.
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  seeToBackend();
  const wanted = options.gpu ?? Deno.env.get("SOFTCOT_GPU");
  const chosen = wanted ? choose(wanted) : undefined;
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw explainNoDevice();
  if (chosen) refuseAnother(adapter, chosen);
  refuseStandIn(adapter, wanted);
  const before = threads();
  const device = await requestDevice(adapter);
  if (adapterKind(adapter) === "llvmpipe") pinWorkers(before);
  const errors = watchErrors(device);
  const facts = { ...adapterFacts(adapter, device), pci: chosen?.pci };
  const arena = createArena(device, errors);
  const profile = createProfile(device, options.profile === true && device.features.has("timestamp-query"));
  const commands = createCommands(device, errors, profile);
  const reader = createReader(device, commands, errors);
  const most = Math.min(options.maxBinding ?? Infinity, device.limits.maxStorageBufferBindingSize);
  // Whole runs of what buffers are rounded to: what is as large as a binding can be bound.
  const maxBinding = most - most % BUFFER_RUN;
  const failed = async (error: unknown) => {
    const why = await errors.explain(error);
    device.destroy();
    if (why instanceof OutOfMemoryError) throw noMemory(facts.name);
    throw why instanceof DeviceLostError
      ? new UserError(
        `Cannot open the GPU ${facts.name}: it was lost (${why.message})`,
        "softcot doctor tries it; dmesg may say why",
      )
      : why;
  };
  const { wgslHead, size } = await measureSubgroups(device).catch(failed);
  const workgroups = workgroupLimits(adapter, device);
  const matmulFamily = options.matmulFamily ?? (facts.software ? "broadcast" : "tile");
  const gpu: Gpu = {
    device,
    wgslHead,
    adapter: facts,
    subgroupSize: options.subgroupSize ?? leastLanes(size, workgroups),
    workgroups,
    maxBinding,
    matmulFamily,
    // A GPU loads four words as cheaply, and its kernels are the same with and without 64-bit integers.
    u64Loads: options.forbidU64 !== true && matmulFamily === "broadcast" && device.features.has(U64),
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
  await checkDevice(gpu).catch(failed);
  return gpu;
}

function choose(wanted: string): VulkanDevice {
  try {
    return chooseDevice(wanted);
  } catch (error) {
    // Where there is none at all, the reason is what helps.
    throw numberedDevices().length > 0 ? error : explainNoDevice();
  }
}

/** Read before the first requestAdapter: without it a GL device may be taken in silence, and Deno aborts now and then at its end. */
function seeToBackend(): void {
  const asked = Deno.env.get("DENO_WEBGPU_BACKEND");
  if (!asked && Deno.build.os !== "darwin") Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
  if (!asked || Deno.build.os !== "linux" || /(^|,)\s*(vulkan|vk)\s*(,|$)/i.test(asked)) return;
  throw new UserError(
    `Cannot open a GPU: DENO_WEBGPU_BACKEND is ${asked} in the environment, vulkan is needed`,
    "unset DENO_WEBGPU_BACKEND",
  );
}

/** What was opened has to be what was asked for, whatever the environment did. */
function refuseAnother({ info }: GPUAdapter, { name, vendorId, deviceId }: VulkanDevice): void {
  if (info.description === name && info.vendor === `${vendorId}` && info.device === `${deviceId}`) return;
  throw new UserError(
    `Cannot open the device ${name}: WebGPU gave ${info.description} instead`,
    "a process that has opened a device keeps to it; else the driver is at fault: softcot doctor shows what is there",
  );
}

/** A driver may choose for each pipeline how many lanes its subgroups have: the fewest, where it says how many these are. */
const leastLanes = (measured: number, { minSubgroup }: WorkgroupLimits): number =>
  minSubgroup > 1 ? Math.min(measured, minSubgroup) : measured;

const noMemory = (name: string) =>
  new UserError(
    `Cannot open the GPU ${name}: it has no memory left, some is needed`,
    "other processes hold it (nvidia-smi shows which); or choose another one with --gpu: softcot doctor lists them",
  );

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
    const more = adapterKind(adapter) === "gpu" ? [U64] : [U64, LENDABLE];
    return await request(more).catch(() => request([U64])).catch(() => request([]));
  } catch (cause) {
    if (/memory/i.test((cause as Error).message)) throw noMemory(adapter.info?.description ?? "");
    throw new UserError(
      `Cannot open the GPU ${adapter.info?.description ?? ""}: ${(cause as Error).message}, ` +
        "a device with subgroup operations is needed",
      "update its Vulkan driver, or choose another one with --gpu: softcot doctor lists them",
    );
  }
}
