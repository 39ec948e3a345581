import type { AdapterFacts } from "../adapter.ts";
import { readSystemFile } from "./system_files.ts";
import { preferredDevice, vulkanDevices } from "./vulkan_devices.ts";

/** Memory that a device can still give, and who says so. */
interface DeviceMemory {
  /** In bytes. */
  free: number;
  /** Such as `its driver`, for messages. */
  source: string;
}

/**
 * Memory that a device has to give. WebGPU does not tell it; asked are Vulkan's driver of that very card, or for a software device the memory
 * of this machine and the limit of the container.
 * @returns undefined where nobody tells
 */
export function deviceMemory(
  { description, pci, software }: Pick<AdapterFacts, "description" | "pci" | "software">,
): DeviceMemory | undefined {
  if (software) return machineMemory();
  const cards = vulkanDevices().filter((card) => card.name === description && (pci ?? card.pci) === card.pci);
  const card = preferredDevice(cards);
  return card && { free: card.free ?? card.memory, source: "its driver" };
}

function machineMemory(): DeviceMemory | undefined {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readSystemFile("/proc/meminfo") ?? "")?.[1];
  const limit = Number(readSystemFile("/sys/fs/cgroup/memory.max"));
  const used = Number(readSystemFile("/sys/fs/cgroup/memory.current"));
  const container = limit > 0 && used >= 0 ? limit - used : Infinity;
  if (available === undefined && container === Infinity) return undefined;
  const machine = available === undefined ? Infinity : Number(available) * 1024;
  return container < machine
    ? { free: container, source: "the limit of this container" }
    : { free: machine, source: "the memory of this machine" };
}
