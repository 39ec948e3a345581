/** Names of devices, the one that WebGPU prefers, and Vulkan's own list held against WebGPU's adapter. Choosing is tested as processes. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { findDevice, type NumberedDevice, numberedDevices } from "../../gpu/device/choose_device.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { preferredDevice, type VulkanDevice, vulkanDevices } from "../../gpu/device/vulkan_devices.ts";
import { UserError } from "../../gpu/errors.ts";

const device = (number: number, of: Partial<VulkanDevice>): NumberedDevice => ({
  ...{
    number,
    preferred: number === 0,
    name: "NVIDIA H200",
    vendorId: 0x10de,
    deviceId: 0x2335,
    type: "discrete",
  },
  ...{ uuid: "", driver: "NVIDIA 570", conformant: true, memory: 2 ** 37 },
  ...of,
});
const UUID = "0123456789abcdef0123456789abcdef";
const DEVICES = [
  device(0, { pci: "0000:65:00.0", uuid: UUID }),
  device(1, { pci: "0001:65:00.0" }),
  device(2, { pci: "0000:66:00.0", name: "NVIDIA L4" }),
  device(3, { name: "llvmpipe", type: "cpu" }),
];

Deno.test("a device is named by its number, its place as tools write it, its UUID, or a part of its name", () => {
  const names = {
    ...{ 0: 0, 3: 3, " 2 ": 2, l4: 2, LLVM: 3, "65:00.0": 0, "0001:65:00.0": 1, "00000001:65:00.0": 1 },
    ...{ [UUID]: 0, "GPU-01234567-89AB-CDEF-0123-456789ABCDEF": 0, "0000:66:00.0": 2 },
    ...{
      "65:00": 0,
      "66:00": 2,
      "0001:65:00": 1,
      "pci-0000_66_00_0": 2,
      "PCI:102:0:0": 2,
      "PCI:101@1:0:0": 1,
    },
  };
  for (const [name, number] of Object.entries(names)) {
    assertEquals(findDevice(name, DEVICES).number, number, name);
  }
  // Alike cards have alike names, one card of its model has its number.
  assertEquals(findDevice("200", DEVICES.slice(1)).number, 1);
  const none = [
    "4",
    "h200",
    "200",
    "NVIDIA",
    "65:00.1",
    "0002:65:00.0",
    "67:00",
    "PCI:66:0:0",
    "GPU-00",
    "-1",
    " ",
    "",
  ];
  for (const name of none) {
    const error = assertThrows(() => findDevice(name, DEVICES), UserError);
    assertStringIncludes(
      error.hint!,
      "0 NVIDIA H200 at 0000:65:00.0, 1 NVIDIA H200 at 0001:65:00.0, 2 NVIDIA L4 at",
    );
  }
});

Deno.test("WebGPU prefers the first of the best kind, and hides drivers that do not conform", () => {
  const of = (type: VulkanDevice["type"], more: Partial<VulkanDevice> = {}) => device(0, { type, ...more });
  const first = of("discrete", { name: "first" });
  const list = [of("cpu"), of("integrated"), of("discrete", { conformant: false }), first, of("discrete")];
  assertEquals(preferredDevice(list), first);
  assertEquals(preferredDevice(list.slice(0, 3))?.type, "integrated");
  assertEquals(preferredDevice([]), undefined);
});

Deno.test({
  name: "Vulkan's list has the device that is opened, with its ids and its memory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const gpu = await openGpu();
    try {
      const preferred = numberedDevices().find(({ preferred }) => preferred)!;
      assertEquals([preferred.name, `${preferred.vendorId}`], [gpu.adapter.description, gpu.adapter.vendor]);
      assert(preferred.memory > 0 && preferred.driver !== "" && /^[\da-f]{32}$/.test(preferred.uuid));
      assertEquals(vulkanDevices().length, numberedDevices().length);
      assert(deviceMemory(gpu.adapter)!.free > 0);
      // Of a card whose name nobody lists, nothing is known.
      assertEquals(deviceMemory({ description: "another", software: false }), undefined);
    } finally {
      gpu.close();
    }
  },
});
