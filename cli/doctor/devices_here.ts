import { type NumberedDevice, numberedDevices } from "../../gpu/device/choose_device.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { type NvidiaCard, nvidiaCards } from "./nvidia_cards.ts";

/** A device that Vulkan lists, with what NVIDIA's tool says of it. */
export interface DeviceHere extends NumberedDevice {
  nvidia?: NvidiaCard;
}

/** What is here. */
export interface DevicesHere {
  devices: DeviceHere[];
  /** Cards that NVIDIA's tool lists and Vulkan does not. */
  hidden: NvidiaCard[];
  /** What is wrong with NVIDIA's tool. */
  trouble?: string;
}

/** All devices, and cards that NVIDIA's tool lists and Vulkan does not. To be asked before one is chosen, which may hide the others. */
export async function devicesHere(): Promise<DevicesHere> {
  const { cards, trouble } = await nvidiaCards();
  const devices = numberedDevices().map((device) => ({
    ...device,
    ...(device.type === "cpu" ? machineMemory(device) : {}),
    nvidia: cards.find(({ pci }) => pci === device.pci),
  }));
  const hidden = cards.filter(({ pci }) => devices.every((device) => device.pci !== pci));
  return { devices, hidden, trouble };
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
      nvidia && describeCard(nvidia),
    ];
  });
  const header = ["--gpu", "device", "kind", "ids", "bus", "memory", "free", "driver", "nvidia-smi"];
  const isNvidia = devices.some(({ nvidia }) => nvidia);
  const kept = (row: unknown[]) => isNvidia ? row : row.slice(0, -1);
  return table(rows.map(kept), { header: kept(header) as string[], align: header.map(() => "left") });
}

function describeCard({ index, free, busy, driver }: NvidiaCard): string {
  const known = [
    ...(free === undefined ? [] : [`${inBytes(free)} free`]),
    ...(busy === undefined ? [] : [`${busy}% busy`]),
    `driver ${driver}`,
  ];
  return `${index === undefined ? "" : `${index}: `}${known.join(", ")}`;
}

const hex = (id: number) => id.toString(16).padStart(4, "0");
