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

/** What a card has beside its lanes, in bytes. */
interface CardLimits {
  workgroup: number;
  buffer: number;
  binding?: number;
  /** Invocations of a workgroup. */
  threads?: number;
}

function card(
  name: string,
  { measured, least, most }: Lanes,
  { workgroup: bytes, buffer: maxBufferSize, binding = 2 ** 31 - 32, threads = 1024 }: CardLimits,
): Card {
  const adapter: AdapterFacts = {
    ...{ name, vendor: "", architecture: "", description: "", software: false, features: [] },
  };
  return {
    adapter,
    // Kernels are made for the fewest lanes that they may get.
    subgroupSize: Math.min(measured, least),
    workgroups: { threads, bytes, minSubgroup: least, maxSubgroup: most },
    maxBinding: binding,
    matmulFamily: "tile",
    u64Loads: false,
    tuning: new Map(),
    maxBufferSize,
  };
}

const LARGE: CardLimits = { workgroup: 64 * 1024, buffer: 2 ** 31 - 4 };

/** Cards of servers and desktops as their Vulkan drivers describe them through wgpu: what no device here has, is held against these. */
export const CARDS = {
  nvidia: card("an NVIDIA card", { measured: 32, least: 32, most: 32 }, {
    workgroup: 48 * 1024,
    buffer: 2 ** 32,
  }),
  amd: card("an AMD card", { measured: 64, least: 64, most: 64 }, LARGE),
  intel: card("an Intel card", { measured: 16, least: 8, most: 32 }, LARGE),
} as const satisfies Record<string, Card>;

/** Others of these makers, and one that grants no more than WebGPU promises everywhere. */
export const FURTHER_CARDS = {
  rdna: card("an AMD card whose subgroups have 32 lanes or 64", { measured: 64, least: 32, most: 64 }, LARGE),
  xe: card("an Intel card of 16 lanes", { measured: 32, least: 16, most: 32 }, LARGE),
  least: card("a card of the least limits", { measured: 32, least: 32, most: 32 }, {
    ...{ workgroup: 16 * 1024, threads: 256, binding: 2 ** 27, buffer: 2 ** 28 },
  }),
} as const satisfies Record<string, Card>;
