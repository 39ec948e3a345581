import { type Arena, createArena } from "../arena.ts";
import type { AdapterFacts } from "../adapter.ts";
import type { Gpu } from "../gpu.ts";
import type { Commands } from "../commands.ts";
import type { Pipeline } from "../pipeline.ts";
import { createProfile } from "../profile.ts";
import { byteLength, type Tensor } from "../tensor.ts";

/** What decides the shapes of buffers: taken from an open device, or made up for one that is not here. */
export type DeviceFacts = Pick<
  Gpu,
  "adapter" | "subgroupSize" | "workgroups" | "maxBinding" | "matmulFamily" | "u64Loads" | "tuning"
>;

const SOME_ADAPTER: AdapterFacts = {
  name: "some GPU",
  vendor: "",
  architecture: "",
  description: "",
  software: false,
  features: [],
};

/** A GPU of the usual limits, for forecasts where none is open. */
export const SOME_GPU: DeviceFacts = {
  adapter: SOME_ADAPTER,
  subgroupSize: 32,
  workgroups: { threads: 1024, bytes: 48 * 1024, minSubgroup: 32, maxSubgroup: 32 },
  maxBinding: 2 ** 31 - 4,
  matmulFamily: "tile",
  u64Loads: false,
  tuning: new Map(),
};

/**
 * A device that holds nothing and computes nothing: work given to it asks its arena for the same buffers, in the same order,
 * as on the device whose facts it has. So a forecast of memory is the work itself, run dry, and the two cannot come apart.
 * Reads give zeros, at once.
 * @param own an open device's arena, which then makes the buffers that the work will want
 */
export function openDryGpu(facts: DeviceFacts, own?: Arena): Gpu {
  const { adapter, subgroupSize, workgroups, maxBinding, matmulFamily, u64Loads, tuning } = facts;
  const device = dryDevice();
  const pipelines = new Map<string, Pipeline>();
  const arena = own ?? createArena(device);
  if (!own) arena.beforeDestroy = () => pipelines.forEach(({ groups }) => groups.clear());
  const start = (tensor: Tensor) => () => Promise.resolve(new ArrayBuffer(Math.max(16, byteLength(tensor))));
  return {
    ...{ adapter, subgroupSize, workgroups, maxBinding, matmulFamily, u64Loads, tuning },
    ...{ device, arena, pipelines },
    commands: dryCommands(),
    reader: { start, read: (tensor) => start(tensor)(), close() {} },
    errors: { check() {}, watch() {}, settled: () => Promise.resolve() },
    profile: createProfile(device, false),
    close() {},
  };
}

/** As much of WebGPU's device as kernels and the arena call; its limits refuse nothing. */
function dryDevice(): GPUDevice {
  const nothing = () => ({});
  const limits = { maxBufferSize: Infinity, maxStorageBufferBindingSize: Infinity };
  return {
    limits,
    createBuffer: () => ({ destroy() {} }),
    createBindGroup: nothing,
    createBindGroupLayout: nothing,
    createPipelineLayout: nothing,
    createShaderModule: nothing,
    createComputePipeline: nothing,
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(null),
    destroy() {},
  } as unknown as GPUDevice;
}

function dryCommands(): Commands {
  const counts = { dispatches: 0, submits: 0 };
  return {
    uniforms: {} as GPUBuffer,
    counts,
    dispatch: () => void counts.dispatches++,
    copy() {},
    copyToBuffer() {},
    zero() {},
    upload() {},
    flush() {},
  };
}
