/** Kernels of other widths of subgroups than the usual one, one of them in full, and other drivers, in short; `devices_table.ts` is the whole of it. */
import { assertEquals } from "@std/assert";
import { type DeviceResult, otherRewards, SHORT_TESTS, SHORT_TRAINING, tryDevice } from "./devices_table.ts";
import { isUsual, softwareDevices } from "./software_devices.ts";

// One width in full: reading and broadcasting by lanes goes several rounds there, and through idle ones.
const FULL = "4 lanes";
// Mesa compiles without LLVM's passes: in two thirds of the time, and to the same bits.
const UNOPTIMISED = { GALLIVM_PERF: "nopt" };

for (const device of softwareDevices().filter((device) => !isUsual(device))) {
  if (device.missing) console.warn(`skipped: ${device.name}, ${device.missing}`);
  Deno.test({
    name: `kernels and trainings on ${device.name} are right, and rollouts those of the update to the bit`,
    ignore: device.missing !== undefined,
    async fn() {
      const isFull = device.name === FULL;
      const tests = isFull ? ["tests/gpu"] : SHORT_TESTS;
      // One is slow at barriers of workgroups, the other compiles for minutes: the kernels for GPUs are left to the tests.
      const families = ["SwiftShader", "Mesa 25"].includes(device.name)
        ? ["broadcast"]
        : ["broadcast", "tile"];
      const training = [...SHORT_TRAINING, "--families", families.join()];
      const env = { ...device.env, ...UNOPTIMISED };
      const { faults, passed, trained } = await tryDevice({ ...device, env }, tests, training);
      assertEquals(faults, []);
      assertEquals([passed > (isFull ? 450 : 50), trained.length], [true, 2 * families.length]);
    },
  });
}

Deno.test("rewards that are not those of another device are told, way by way; what one did not train is not compared", () => {
  const result = (name: string, trained: [way: string, family: string, ...rewards: number[]][]) =>
    ({
      device: { name },
      trained: trained.map(([way, family, ...rewards]) => ({ way, family, rewards })),
    }) as unknown as DeviceResult;
  const first = result("first", [["soft", "tile", 10, 20], ["soft", "broadcast", 10, 20]]);
  const second = result("second", [["soft", "broadcast", 10, 20], ["hard", "broadcast", 1, 2]]);
  assertEquals(otherRewards(second, first), []);
  const third = result("third", [["soft", "broadcast", 10, 30], ["soft", "tile", 10, 20]]);
  assertEquals(otherRewards(third, first), ["soft, broadcast: rewards 10,30, not 10,20 as on first"]);
});
