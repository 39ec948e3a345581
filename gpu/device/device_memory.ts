import type { AdapterFacts } from "../adapter.ts";
import { readSystemFile } from "./system_files.ts";

/** Memory that a device can still give, and who says so. */
interface DeviceMemory {
  /** In bytes. */
  free: number;
  /** Such as `nvidia-smi`, for messages. */
  source: string;
}

/**
 * Memory that a device has to give. WebGPU does not tell it; asked are the driver's own tool (NVIDIA), the kernel
 * (AMD), or for the software device the memory of this machine and the limit of the container.
 * @returns undefined where nobody tells
 */
export function deviceMemory(
  { name, software }: Pick<AdapterFacts, "name" | "software">,
): DeviceMemory | undefined {
  if (software) return machineMemory();
  return /nvidia|geforce|rtx|tesla/i.test(name) ? nvidiaMemory(name) : amdMemory();
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

/** The card of that name; of several alike the one with the most free memory, which is what a cautious user chooses. */
function nvidiaMemory(name: string): DeviceMemory | undefined {
  let table: string;
  try {
    const { stdout } = new Deno.Command("nvidia-smi", {
      args: ["--query-gpu=name,memory.free", "--format=csv,noheader,nounits"],
      stderr: "null",
    }).outputSync();
    table = new TextDecoder().decode(stdout);
  } catch {
    return undefined; // no such tool here
  }
  const cards = table.trim().split("\n").map((line) => line.split(/,\s*/))
    .filter(([card, free]) => Number(free) > 0 && (name.includes(card) || card.includes(name)));
  const most = Math.max(...cards.map(([, free]) => Number(free)));
  return cards.length === 0 ? undefined : { free: most * 2 ** 20, source: "nvidia-smi" };
}

function amdMemory(): DeviceMemory | undefined {
  const cards = Array.from({ length: 16 }, (_, i) => `/sys/class/drm/card${i}/device/mem_info_vram_`);
  const free = cards.map((card) =>
    Number(readSystemFile(`${card}total`) ?? NaN) - Number(readSystemFile(`${card}used`) ?? NaN)
  )
    .filter((bytes) => bytes > 0);
  return free.length === 0 ? undefined : { free: Math.max(...free), source: "the kernel's driver" };
}
