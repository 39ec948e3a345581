import { type Arena, createArena } from "../arena.ts";
import type { Gpu } from "../gpu.ts";
import type { Pipeline } from "../pipeline.ts";
import { createProfile } from "../profile.ts";
import { byteLength, type Tensor } from "../tensor.ts";
import { CARDS, type DeviceFacts } from "./cards.ts";
import { type DryCommands, dryCommands } from "./dry_commands.ts";

/** A GPU of the usual limits, for forecasts where none is open. */
export const SOME_GPU: DeviceFacts = {
  ...CARDS.nvidia,
  adapter: { ...CARDS.nvidia.adapter, name: "some GPU" },
};

/** What is asked of a dry device beside its facts. */
export interface DryOptions {
  /** An open device's arena, which then makes the buffers that the work will want. */
  arena?: Arena;
  /** Bytes of a buffer at most: then larger ones are refused, and bindings as the facts have it; nothing is if left out. */
  maxBufferSize?: number;
  /** Told of each kernel as it is compiled. */
  onKernel?: (label: string, code: string) => void;
}

/** A dry device, which counts what it is given. */
export interface DryGpu extends Gpu {
  readonly commands: DryCommands;
}

/**
 * A device that holds nothing and computes nothing: work given to it asks its arena for the same buffers, in the same order,
 * as on the device whose facts it has. So a forecast of memory is the work itself, run dry, and the two cannot come apart.
 * Reads give zeros, at once.
 */
export function openDryGpu(facts: DeviceFacts, { arena: own, ...options }: DryOptions = {}): DryGpu {
  const { adapter, subgroupSize, workgroups, maxBinding, matmulFamily, u64Loads, tuning } = facts;
  const device = dryDevice(maxBinding, options);
  const pipelines = new Map<string, Pipeline>();
  const arena = own ?? createArena(device);
  if (!own) arena.beforeDestroy = () => pipelines.forEach(({ groups }) => groups.clear());
  const commands = dryCommands();
  const start = (tensor: Tensor) => {
    commands.flush();
    return () => Promise.resolve(new ArrayBuffer(Math.max(16, byteLength(tensor))));
  };
  return {
    ...{ adapter, subgroupSize, workgroups, maxBinding, matmulFamily, u64Loads, tuning },
    ...{ device, arena, pipelines, commands, wgslHead: "" },
    reader: {
      start,
      // Only those read so who sum with others, which a dry device has none of.
      startPieces: () => () => Promise.resolve(new ArrayBuffer()),
      lendPieces: () => () => Promise.resolve({ data: new Float32Array(), giveBack() {} }),
      read: (tensor) => start(tensor)(),
      close() {},
    },
    errors: {
      check() {},
      watch() {},
      settled: () => Promise.resolve(),
      explain: (error) => Promise.resolve(error),
    },
    profile: createProfile(device, false),
    close() {},
  };
}

/** As much of WebGPU's device as kernels and the arena call; its objects are what they are made of. */
function dryDevice(maxBinding: number, { maxBufferSize, onKernel }: DryOptions): GPUDevice {
  const described = (descriptor: unknown) => descriptor;
  const limits = {
    maxBufferSize: maxBufferSize ?? Infinity,
    maxStorageBufferBindingSize: maxBufferSize === undefined ? Infinity : maxBinding,
  };
  return {
    limits,
    features: new Set(),
    createBuffer: () => ({ destroy() {} }),
    createBindGroup: described,
    createBindGroupLayout: described,
    createPipelineLayout: described,
    createShaderModule({ label = "", code }: GPUShaderModuleDescriptor) {
      onKernel?.(label, code);
      return {};
    },
    createComputePipeline: () => ({}),
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(null),
    destroy() {},
  } as unknown as GPUDevice;
}
