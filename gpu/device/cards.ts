import type { AdapterFacts } from "../adapter.ts";
import type { Gpu } from "../gpu.ts";

/** What decides the shapes of buffers and kernels: taken from an open device, or made up for one that is not here. */
export type DeviceFacts = Pick<
  Gpu,
  "adapter" | "subgroupSize" | "workgroups" | "maxBinding" | "matmulFamily" | "u64Loads" | "tuning"
>;

/** A device that is not here: its facts, and what else binds it. */
export interface Card extends DeviceFacts {
  /** Bytes of a buffer. */
  maxBufferSize: number;
}

/** Lanes as measured, and the fewest and the most that a kernel's subgroups may have. */
interface Lanes {
  measured: number;
  least: number;
  most: number;
}

function card(name: string, { measured, least, most }: Lanes, bytes: number, maxBufferSize: number): Card {
  const adapter: AdapterFacts = {
    ...{ name, vendor: "", architecture: "", description: "", software: false, features: [] },
  };
  return {
    adapter,
    // Kernels are made for the fewest lanes that they may get.
    subgroupSize: Math.min(measured, least),
    workgroups: { threads: 1024, bytes, minSubgroup: least, maxSubgroup: most },
    maxBinding: 2 ** 31 - 4,
    matmulFamily: "tile",
    u64Loads: false,
    tuning: new Map(),
    maxBufferSize,
  };
}

/** Cards of servers and desktops as their Vulkan drivers describe them through wgpu: what no device here has, is held against these. */
export const CARDS = {
  nvidia: card("an NVIDIA card", { measured: 32, least: 32, most: 32 }, 48 * 1024, 2 ** 32),
  amd: card("an AMD card", { measured: 64, least: 64, most: 64 }, 64 * 1024, 2 ** 31 - 4),
  intel: card("an Intel card", { measured: 16, least: 8, most: 32 }, 64 * 1024, 2 ** 31 - 4),
} as const satisfies Record<string, Card>;
