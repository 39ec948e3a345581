/**
 * Vulkan's own list of devices, asked of the loader by foreign functions: WebGPU gives no list, and tells of an adapter neither its place
 * on the bus nor its memory.
 *
 * @module
 */

/** What a device is, in Vulkan's words. */
export type DeviceType = "other" | "integrated" | "discrete" | "virtual" | "cpu";

/** A device as its driver describes it. */
export interface VulkanDevice {
  /** Such as `NVIDIA H200`. */
  name: string;
  /** PCI's numbers of maker and model; of software devices whatever their driver says. */
  vendorId: number;
  deviceId: number;
  type: DeviceType;
  /** 16 bytes as hexadecimal digits: NVIDIA's tools show the same; empty where the driver is too old to say. */
  uuid: string;
  /** Where it is on the bus, such as `0000:65:00.0`; absent of software devices and where the driver does not say. */
  pci?: string;
  /** Its driver, with the version in the driver's own words. */
  driver: string;
  /** Whether the driver claims to conform to Vulkan: WebGPU hides those that do not. */
  conformant: boolean;
  /** Bytes of its largest heap of its own. */
  memory: number;
  /** Bytes of that heap that this process may still have; absent where the driver does not say. */
  free?: number;
}

/**
 * All devices, in the order in which Vulkan gives them in this process's environment as it is now; none where there is no loader, no
 * driver, or no permission for foreign functions. Every call starts the drivers anew: tens of milliseconds.
 */
export function vulkanDevices(): VulkanDevice[] {
  const library = open();
  if (!library) return [];
  const { symbols } = library;
  try {
    const instance = createInstance(symbols);
    if (!instance) return [];
    try {
      return physicalDevices(symbols, instance).map((device) => describe(symbols, device));
    } finally {
      symbols.vkDestroyInstance(instance, null);
    }
  } finally {
    library.close();
  }
}

/** The device that `requestAdapter` opens of such a list: the first of the best type that WebGPU does not hide. */
export function preferredDevice(devices: readonly VulkanDevice[]): VulkanDevice | undefined {
  const order: DeviceType[] = ["discrete", "integrated", "other", "virtual", "cpu"];
  const rank = ({ type }: VulkanDevice) => order.indexOf(type);
  return devices.filter(({ conformant }) => conformant).toSorted((a, b) => rank(a) - rank(b))[0];
}

const FUNCTIONS = {
  vkCreateInstance: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  vkDestroyInstance: { parameters: ["pointer", "pointer"], result: "void" },
  vkEnumeratePhysicalDevices: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  vkEnumerateDeviceExtensionProperties: {
    parameters: ["pointer", "pointer", "buffer", "buffer"],
    result: "i32",
  },
  vkGetPhysicalDeviceProperties2: { parameters: ["pointer", "buffer"], result: "void" },
  vkGetPhysicalDeviceMemoryProperties2: { parameters: ["pointer", "buffer"], result: "void" },
} as const;

type Vulkan = Deno.DynamicLibrary<typeof FUNCTIONS>["symbols"];
type Handle = Deno.PointerObject;

function open(): Deno.DynamicLibrary<typeof FUNCTIONS> | undefined {
  // Without the permission, opening a library would ask the user for it.
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return undefined;
  }
  try {
    return Deno.dlopen("libvulkan.so.1", FUNCTIONS);
  } catch {
    return undefined;
  }
}

/** An instance of Vulkan 1.1, which has all that is asked here. */
function createInstance(vulkan: Vulkan): Handle | null {
  const application = struct(48, 0);
  application.view.setUint32(44, 1 << 22 | 1 << 12, true); // apiVersion
  const info = struct(64, 1);
  info.view.setBigUint64(24, address(application), true); // pApplicationInfo
  const instance = new BigUint64Array(1);
  const result = vulkan.vkCreateInstance(info.bytes, null, instance);
  return result === 0 ? Deno.UnsafePointer.create(instance[0]) : null;
}

function physicalDevices(vulkan: Vulkan, instance: Handle): Handle[] {
  const count = new Uint32Array(1);
  vulkan.vkEnumeratePhysicalDevices(instance, count, null);
  const devices = new BigUint64Array(count[0]);
  vulkan.vkEnumeratePhysicalDevices(instance, count, devices);
  return [...devices.subarray(0, count[0])].map((device) => Deno.UnsafePointer.create(device)!);
}

function describe(vulkan: Vulkan, device: Handle): VulkanDevice {
  const extensions = extensionsOf(vulkan, device);
  const id = struct(64, 1000071004); // VkPhysicalDeviceIDProperties
  const driver = struct(536, 1000196000); // VkPhysicalDeviceDriverProperties
  const bus = struct(32, 1000212000); // VkPhysicalDevicePCIBusInfoPropertiesEXT
  const hasBus = extensions.has("VK_EXT_pci_bus_info");
  const properties = struct(840, 1000059001, [id, driver, ...hasBus ? [bus] : []]);
  vulkan.vkGetPhysicalDeviceProperties2(device, properties.bytes);
  const { view } = properties; // VkPhysicalDeviceProperties begins at 16
  const [domain, slot, place, part] = [16, 20, 24, 28].map((at) => bus.view.getUint32(at, true));
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  return {
    name: textAt(properties, 36),
    vendorId: view.getUint32(24, true),
    deviceId: view.getUint32(28, true),
    type: TYPES[view.getUint32(32, true)] ?? "other",
    uuid: id.bytes.subarray(16, 32).toHex(),
    pci: hasBus ? `${hex(domain, 4)}:${hex(slot, 2)}:${hex(place, 2)}.${part}` : undefined,
    driver: [textAt(driver, 20), textAt(driver, 276)].filter(Boolean).join(" "),
    conformant: driver.bytes[532] > 0,
    ...memoryOf(vulkan, device, extensions.has("VK_EXT_memory_budget")),
  };
}

const TYPES: DeviceType[] = ["other", "integrated", "discrete", "virtual", "cpu"];

function extensionsOf(vulkan: Vulkan, device: Handle): Set<string> {
  const count = new Uint32Array(1);
  vulkan.vkEnumerateDeviceExtensionProperties(device, null, count, null);
  const size = 260; // a name of 256 bytes, and a version
  const bytes = new Uint8Array(size * count[0]);
  vulkan.vkEnumerateDeviceExtensionProperties(device, null, count, bytes);
  return new Set(Array.from({ length: count[0] }, (_, i) => textAt({ bytes }, size * i)));
}

/** The largest of the heaps that are the device's own. */
function memoryOf(vulkan: Vulkan, device: Handle, hasBudget: boolean): Pick<VulkanDevice, "memory" | "free"> {
  const budget = struct(272, 1000237000); // VkPhysicalDeviceMemoryBudgetPropertiesEXT
  const properties = struct(536, 1000059006, hasBudget ? [budget] : []); // VkPhysicalDeviceMemoryProperties2
  vulkan.vkGetPhysicalDeviceMemoryProperties2(device, properties.bytes);
  const number = ({ view }: Struct, at: number) => Number(view.getBigUint64(at, true));
  const heaps = Array.from({ length: properties.view.getUint32(276, true) }, (_, i) => ({
    memory: number(properties, 280 + 16 * i),
    isOwn: (properties.view.getUint32(288 + 16 * i, true) & 1) === 1,
    free: hasBudget ? Math.max(0, number(budget, 16 + 8 * i) - number(budget, 144 + 8 * i)) : undefined,
  }));
  const { memory, free } = heaps.filter(({ isOwn }) => isOwn).sort((a, b) => b.memory - a.memory)[0] ??
    { memory: 0 };
  return { memory, free };
}

/** A structure of Vulkan: its type first, then the next one of its chain. */
interface Struct {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
}

function struct(size: number, type: number, chain: Struct[] = []): Struct {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  [{ bytes, view }, ...chain].reduce((before, next) => {
    before.view.setBigUint64(8, address(next), true); // pNext
    return next;
  });
  return { bytes, view };
}

const address = ({ bytes }: Pick<Struct, "bytes">) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));

/** A text that ends with a zero. */
function textAt({ bytes }: Pick<Struct, "bytes">, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}
