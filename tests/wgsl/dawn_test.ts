/** A device that wants `enable subgroups;` in each kernel gets it, and computes rightly. */
import { assert, assertEquals } from "@std/assert";
import { softwareDevices } from "../devices/software_devices.ts";
import { root } from "../support/places.ts";
import { DAWN_FLAGS, DAWN_PACKAGE } from "./dawn_package.ts";

// Dawn refuses Mesa 22.3, and turns round while it waits for a kernel: the device that compiles fastest.
for (const { name, env, lanes, missing } of softwareDevices().filter(({ name }) => name === "SwiftShader")) {
  Deno.test({
    name: `through Dawn on ${name}: kernels get their directive, and products are right`,
    ignore: missing !== undefined,
    async fn() {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...DAWN_FLAGS, `${root}tests/wgsl/on_dawn.ts`, DAWN_PACKAGE],
        env: { ...env, XDG_RUNTIME_DIR: "/dev/null" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert(text.startsWith("["), `Dawn ended early: ${new TextDecoder().decode(stderr)}`);
      const found: { wgslHead: string; subgroupSize: number; errors: number[] }[] = JSON.parse(text);
      assertEquals(found.map(({ wgslHead }) => wgslHead), Array(2).fill("enable subgroups;\n"));
      assertEquals(found.map(({ subgroupSize }) => subgroupSize), [lanes, lanes]);
      for (const { errors } of found) assert(errors.every((error) => error < 1e-7), `${errors}`);
    },
  });
}
