/** Which GPUs the learners of a machine share out. */
import { assertEquals } from "@std/assert";
import { gpusToShare } from "../../../cli/vulkan/own_gpu.ts";
import type { NumberedDevice } from "../../../gpu/device/choose_device.ts";

const device = (number: number, of: Partial<NumberedDevice>): NumberedDevice => ({
  ...{ number, preferred: number === 0, name: "a card", vendorId: 1, deviceId: 1, type: "discrete" },
  ...{ uuid: "", driver: "a driver", conformant: true, memory: 2 ** 34 },
  ...of,
});
const numbers = (...devices: NumberedDevice[]) => gpusToShare(devices).map(({ number }) => number);

Deno.test("learners share out discrete cards, each once; others where there are no discrete ones", () => {
  const integrated = device(0, { type: "integrated", pci: "0000:00:02.0" });
  const [first, second] = [device(1, { pci: "0000:41:00.0" }), device(2, { pci: "0000:42:00.0" })];
  const again = device(3, { pci: "0000:42:00.0", driver: "another driver" });
  const software = device(4, { type: "cpu" });
  assertEquals(numbers(integrated, first, second, again, software), [1, 2]);
  assertEquals(numbers(integrated, software), [0]);
  assertEquals(numbers(device(0, { type: "virtual" }), device(1, { type: "virtual" }), software), [0, 1]);
  // WebGPU hides a driver that does not conform; that of another maker may still have the card.
  assertEquals(numbers(device(0, { pci: "0000:42:00.0", conformant: false }), second, again), [2]);
  assertEquals(numbers(software), []);
});
