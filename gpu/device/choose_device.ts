import { toldAdapter } from "../adapter.ts";
import { UserError } from "../errors.ts";
import { busPlace } from "./bus_place.ts";
import { nvidiaTrouble } from "./nvidia_driver.ts";
import { findVulkan } from "./vulkan_driver.ts";
import { preferredDevice, type VulkanDevice, vulkanDevices } from "./vulkan_devices.ts";

/** A device with its number, which people choose it by. */
export interface NumberedDevice extends VulkanDevice {
  /** From 0: GPUs first, in the order of their places on the bus, as NVIDIA's tools count them; then software devices. */
  number: number;
  /** The one that WebGPU opens where nobody chooses. */
  preferred: boolean;
}

/** All devices, in the order of their numbers: as they were before one was chosen, which may hide the others or change their order. */
export function numberedDevices(): readonly NumberedDevice[] {
  return chosen?.devices ?? listedDevices();
}

function listedDevices(): NumberedDevice[] {
  const key = ({ type, pci }: VulkanDevice) => (type === "cpu" ? "2" : "1") + (pci ?? "~");
  const devices = vulkanDevices();
  const preferred = preferredDevice(devices);
  return devices.toSorted((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
    .map((device, number) => ({ ...device, number, preferred: device === preferred }));
}

/**
 * Makes the device that a text names the one that `requestAdapter` gives: its number, a part of its name, its place on the bus, or its UUID.
 * WebGPU takes the first device of the best kind, so this process's environment is set so that Vulkan gives that one first, or alone; of the
 * means that there are, the first one that does so is kept, by asking Vulkan again. To be called before the first `requestAdapter`.
 *
 * @throws UserError if there is no such device, there are several, or nothing here can tell it from others
 */
export function chooseDevice(wanted: string): VulkanDevice {
  if (chosen && chosen.wanted !== wanted) {
    throw new UserError(
      `Cannot use the device ${wanted}: this process has chosen ${
        toldAdapter(chosen.device)
      }, a process of its own is needed`,
    );
  }
  if (!chosen) {
    const devices = listedDevices();
    chosen = { wanted, device: choose(wanted, devices), devices };
  }
  return chosen.device;
}

let chosen: { wanted: string; device: VulkanDevice; devices: readonly NumberedDevice[] } | undefined;

function choose(wanted: string, devices: readonly NumberedDevice[]): VulkanDevice {
  const device = findDevice(wanted, devices);
  if (!device.conformant) {
    throw new UserError(
      `Cannot use the device ${wanted}: ${device.name} has a driver that does not conform to Vulkan, which WebGPU hides`,
    );
  }
  const isAlone = devices.filter((other) => identity(other) === identity(device)).length === 1;
  if (devices.length === 1 || (isAlone && meansFor(device).some((means) => works(means, device)))) {
    return device;
  }
  throw new UserError(
    `Cannot use the device ${wanted}: ${
      toldAdapter(device)
    } is one of ${devices.length} devices, and nothing here makes Vulkan give this one, ` +
      "a container or a layer that does is needed",
    "start in a container that has this device alone (docker run --gpus device=K), or install Mesa's layer, which chooses by the place on " +
      "the bus (mesa-vulkan-drivers of Mesa 24 or newer)",
  );
}

/** The device that a text names. */
export function findDevice(wanted: string, devices: readonly NumberedDevice[]): NumberedDevice {
  const text = wanted.trim().toLowerCase();
  const found = calledSo(text, devices);
  if (found.length === 1) return found[0];
  const trouble = nvidiaTrouble(() => devices);
  const list = devices.map((device) => `${device.number} ${toldAdapter(device)}`).join(", ");
  throw new UserError(
    `Cannot use the device ${wanted}: ${
      found.length === 0 ? "there is none such" : `${found.length} are called so`
    }, one is needed`,
    `the devices are: ${list}${trouble ? `; ${trouble.found} (${trouble.hint})` : ""}`,
  );
}

function calledSo(text: string, devices: readonly NumberedDevice[]): NumberedDevice[] {
  if (text === "") return [];
  const isAt = busPlace(text);
  if (isAt) return devices.filter(({ pci }) => isAt(pci));
  const numbered = devices.filter(({ number }) => /^\d{1,3}$/.test(text) && number === Number(text));
  // A number that no device has may be of a model, such as 200; one of few digits is rather a device that is not there.
  if (numbered.length > 0 || /^\d{1,2}$/.test(text)) return numbered;
  const uuid = text.replace(/^gpu-/, "").replaceAll("-", "");
  return devices.filter(({ name, uuid: own }) =>
    name.toLowerCase().includes(text) || (own !== "" && own === uuid)
  );
}

/** What a device is known by: alike cards differ by their place on the bus. */
const identity = ({ pci = "", uuid, vendorId, deviceId, name, driver }: VulkanDevice): string =>
  [pci, uuid, vendorId, deviceId, name, driver].join(" ");

/** Settings of the environment; what is undefined is taken away. */
type Means = Record<string, string | undefined>;

/**
 * Ways to have Vulkan give a device alone or first: Mesa's layer, which knows all drivers' devices, by place or by model; a driver's file by
 * itself; the order that newer loaders keep; and a layer that counts devices.
 */
function meansFor({ pci, vendorId, deviceId }: VulkanDevice): Means[] {
  const model = `${vendorId.toString(16)}:${deviceId.toString(16)}`;
  const layer = { NODEVICE_SELECT: undefined, MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: "1" };
  return [
    ...pci
      ? [{ ...layer, MESA_VK_DEVICE_SELECT: undefined, DRI_PRIME: `pci-${pci.replace(/[:.]/g, "_")}` }]
      : [],
    { ...layer, MESA_VK_DEVICE_SELECT: model, DRI_PRIME: undefined },
    // Loaders before 1.3.207 know the second name alone.
    ...findVulkan().drivers.map((file) => ({ VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file })),
    { VK_LOADER_DEVICE_SELECT: model },
    ...vulkanDevices().map((_, i) => ({ ENABLE_DEVICE_CHOOSER_LAYER: "1", VULKAN_DEVICE_INDEX: `${i}` })),
  ];
}

/** Whether WebGPU would take this device, and could mistake no other for it; else the environment is as it was. */
function works(means: Means, device: VulkanDevice): boolean {
  const before = Object.fromEntries(Object.keys(means).map((name) => [name, Deno.env.get(name)]));
  setEnvironment(means);
  const taken = preferredDevice(vulkanDevices());
  if (taken && identity(taken) === identity(device)) return true;
  setEnvironment(before);
  return false;
}

function setEnvironment(means: Means): void {
  for (const [name, value] of Object.entries(means)) {
    if (value === undefined) Deno.env.delete(name);
    else Deno.env.set(name, value);
  }
}
