import { type NumberedDevice, numberedDevices } from "../../gpu/device/choose_device.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";

/** What NVIDIA's own tool says of a card. */
interface NvidiaCard {
  /** Its number there. */
  index: number;
  name: string;
  pci: string;
  /** Bytes. */
  free: number;
  /** In hundredths. */
  busy: number;
  /** Version of the kernel driver. */
  driver: string;
}

/** A device that Vulkan lists, with what NVIDIA's tool says of it. */
export interface DeviceHere extends NumberedDevice {
  nvidia?: NvidiaCard;
}

/** All devices, and cards that NVIDIA's tool lists and Vulkan does not. To be asked before one is chosen, which may hide the others. */
export function devicesHere(): { devices: DeviceHere[]; hidden: NvidiaCard[] } {
  const cards = nvidiaCards();
  const devices = numberedDevices().map((device) => ({
    ...device,
    ...(device.type === "cpu" ? machineMemory(device) : {}),
    nvidia: cards.find(({ pci }) => pci === device.pci),
  }));
  return { devices, hidden: cards.filter(({ pci }) => devices.every((device) => device.pci !== pci)) };
}

/** A software device has the machine's memory, as forecasts count it; its driver tells the size of one heap. */
const machineMemory = ({ name }: NumberedDevice): Pick<NumberedDevice, "memory" | "free"> => ({
  memory: Deno.systemMemoryInfo().total,
  free: deviceMemory({ description: name, pci: undefined, software: true })?.free,
});

/** The devices as a table; the one that is used has a star. */
export function describeDevices(devices: readonly DeviceHere[], used?: number): string {
  const rows = devices.map((device) => {
    const { number, name, type, vendorId, deviceId, pci, memory, free, driver, nvidia } = device;
    return [
      `${number}${number === used ? "*" : ""}`,
      name,
      type === "cpu" ? "software" : type,
      `${hex(vendorId)}:${hex(deviceId)}`,
      pci,
      memory > 0 ? inBytes(memory) : "",
      free === undefined ? "" : inBytes(free),
      driver,
      nvidia &&
      `${nvidia.index}: ${inBytes(nvidia.free)} free, ${nvidia.busy}% busy, driver ${nvidia.driver}`,
    ];
  });
  const header = ["--gpu", "device", "kind", "ids", "bus", "memory", "free", "driver", "nvidia-smi"];
  const isNvidia = devices.some(({ nvidia }) => nvidia);
  const kept = (row: unknown[]) => isNvidia ? row : row.slice(0, -1);
  return table(rows.map(kept), { header: kept(header) as string[], align: header.map(() => "left") });
}

const hex = (id: number) => id.toString(16).padStart(4, "0");

const FIELDS = ["index", "name", "pci.bus_id", "memory.free", "utilization.gpu", "driver_version"];

/** Every card of NVIDIA's tool; none where it is not here. */
function nvidiaCards(): NvidiaCard[] {
  try {
    const args = [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"];
    const { stdout } = new Deno.Command("nvidia-smi", { args, stderr: "null" }).outputSync();
    const lines = new TextDecoder().decode(stdout).split("\n").map((line) => line.split(/,\s*/));
    return lines.filter(({ length }) => length === FIELDS.length).map((
      [index, name, pci, free, busy, driver],
    ) => ({
      ...{ index: Number(index), name, driver, busy: Number(busy), free: Number(free) * 2 ** 20 },
      // Its domains have eight digits.
      pci: pci.toLowerCase().replace(/^0{4}(?=[\da-f]{4}:)/, ""),
    }));
  } catch {
    return [];
  }
}
