import { deviceMemory } from "../../gpu/device/device_memory.ts";
import type { OutOfMemoryError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";

/** How much of what was missing is taken to be there, where nobody knows: drivers give memory in pieces. */
const THERE = 0.75;

/** About how many bytes a work may have on a device that refused it more: those that it held, and of the rest less than it asked for. */
export function memoryAtEnd(gpu: Gpu, { memory }: OutOfMemoryError): number {
  const { held, asked } = memory ?? { held: gpu.arena.bytes, asked: 0 };
  return held + THERE * Math.min(asked, deviceMemory(gpu.adapter)?.free ?? Infinity);
}
