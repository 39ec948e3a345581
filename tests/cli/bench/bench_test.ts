import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { copyAll, multiplyAdds } from "../../../gpu/device/peaks.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";

const { model } = await smallModel();

Deno.test("the peaks' kernels do the work they are counted by", async () => {
  const gpu = await openGpu();
  const out = gpu.arena.create([128], "f32", "out");
  assertEquals(multiplyAdds(gpu, out, 0.5), 2 * 16 * 1024 * 128);
  const sums = new Float32Array(await gpu.reader.read(out));
  // s = s / 2 + 1 / 2 tends to 1, sixteen times.
  assert(sums.every((sum) => Math.abs(sum - 16) < 1e-3));
  const [x, y] = ["x", "y"].map((name) => gpu.arena.create([4096 * 64 * 4 + 64], "f32", name));
  const values = Float32Array.from({ length: x.shape[0] }, (_, i) => i % 1000);
  gpu.commands.upload(x, values);
  assertEquals(copyAll(gpu, x, y), values.byteLength * 2);
  assertEquals(new Float32Array(await gpu.reader.read(y)), values);
  gpu.close();
});

Deno.test("bench measures every part against the peaks of the same run", async () => {
  const { stdout } = await succeed([
    "bench",
    "--model",
    model,
    "--rounds",
    "1",
    "--rows",
    "64",
    "--json",
    "--quiet",
  ]);
  const { measured, model: { parameters } } = JSON.parse(stdout);
  assert(parameters > 0);
  const parts = new Set(measured.map(({ part }: { part: string }) => part));
  assertEquals([...parts], ["peaks", "products", "kernels", "generation", "rollouts", "update"]);
  for (const { name, seconds, best, share, flops, bytes } of measured) {
    assert(seconds > 0 && best > 0 && best <= seconds && share > 0, name);
    assert(flops > 0 || bytes > 0, name);
  }
});

Deno.test("bench prints a table of what was asked for, and refuses other parts", async () => {
  const { stdout } = await succeed(["bench", "--model", model, "--rounds", "1", "--parts", "products"]);
  assertStringIncludes(stdout, "multiply-adds");
  assertMatch(stdout, /^products +x W\^T 1 x 16 x 48 .* \d+%$/m);
  assert(!stdout.includes("AdamW"));
  await fails(["bench", "--parts", "speed"], 2);
});

Deno.test("bench counts dispatches and barriers on cards that are not here", async () => {
  const { stdout } = await succeed(["bench", "--model", model, "--count", "--json"]);
  const { cards } = JSON.parse(stdout);
  assertEquals(cards.map(({ subgroupSize }: { subgroupSize: number }) => subgroupSize), [32, 64, 8]);
  for (const { device, works } of cards) {
    for (const { name, dispatches, barriers, kernels, layer } of works) {
      const sum = Object.values<number>(kernels).reduce((sum, n) => sum + n, 0);
      assert(Math.abs(sum - dispatches) < 1e-9 && barriers > 0 && layer.dispatches > 0, `${device}: ${name}`);
    }
  }
  const { stdout: shown } = await succeed(["bench", "--model", model, "--count"]);
  assertMatch(shown, /^an AMD card, 64 lanes +a token of hard thinking, batch 1 +\d+/m);
});
