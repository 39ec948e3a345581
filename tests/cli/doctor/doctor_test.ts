import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { attentionError } from "../../../cli/doctor/attention_error.ts";
import { tryModel } from "../../../cli/doctor/try_model.ts";
import { gradientProductsError } from "../../../gpu/device/gradient_products_error.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { askProgram } from "../../../cli/facts/ask_program.ts";
import { PINNED_DENO } from "../../../cli/facts/pinned_deno.ts";
import { root } from "../../support/places.ts";
import { runSoftcot } from "../support/run_softcot.ts";

Deno.test("doctor finds a working device, and tells it on a page, in whole, and as JSON", async () => {
  const { code, stdout, stderr } = await runSoftcot(["doctor"]);
  assertEquals(code, 0, stderr);
  const { stdout: all } = await runSoftcot(["doctor", "--all"]);
  const verdicts = [/^ok +matrix product, f32/m, /^ok +products of the backward pass/m, /^ok +attention/m];
  verdicts.push(
    /^ok +random numbers/m,
    /^ok +small model +a rollout is the same .* in a batch, and to training$/m,
  );
  for (const line of [...verdicts, /^0\* +\S/m]) assertMatch(stdout, line);
  for (const line of [...verdicts, /^device +\S/m, /^subgroup size +\d+$/m, /^eval check +read +pairs$/m]) {
    assertMatch(all, line);
  }
  assertMatch(
    stdout,
    /^Used is device \d+, .*: \w+ kernels, subgroups of \d+, bindings of up to \d+ [KMG]iB$/m,
  );
  assert(stdout.trim().split("\n").length < 24 && all.length > 3 * stdout.length, stdout);
  const data = JSON.parse((await runSoftcot(["doctor", "--json"])).stdout);
  assertEquals([data.ok, data.versions.deno], [true, Deno.version.deno]);
  const used = data.devices[data.device.number];
  assert(used.preferred && data.device.name.includes(used.name), stdout);
  assert(data.device.pipelines > 3 && data.device.pipelines < 80);
  assert(data.device.limits.maxStorageBufferBindingSize > 0);
  assert(data.findings.every(({ state }: { state: string }) => state === "ok" || state === "note"));
});

Deno.test("what doctor tries of training is right in GPUs' kernels, too, and decoding agrees with training to the bit", async () => {
  const gpu = await openGpu({ matmulFamily: "tile" });
  try {
    assert(await gradientProductsError(gpu, [37, 53, 29]) < 1e-12);
    assert(await attentionError(gpu) < 1e-12);
    assertEquals(await tryModel(gpu), { finite: true, invariant: true, mismatch: 0 });
  } finally {
    gpu.close();
  }
});

Deno.test("without a device doctor says what is missing, and ends with 1", async () => {
  const none = { VK_DRIVER_FILES: "/nowhere/none.json", VK_ICD_FILENAMES: "/nowhere/none.json" };
  const { code, stdout, stderr } = await runSoftcot(["doctor", "--json"], none);
  assertEquals(code, 1);
  const data = JSON.parse(stdout);
  assertEquals([data.ok, data.device], [false, undefined]);
  const missing = data.findings.find(({ state }: { state: string }) => state === "missing");
  assertStringIncludes(missing.found, "no Vulkan adapter was found");
  assertStringIncludes(stderr, "hint: unset VK_DRIVER_FILES, or have it name the file (.json) of a driver");
  assertMatch((await runSoftcot(["doctor"], none)).stdout, /^MISSING +device/m);
});

Deno.test("a program that is asked and never answers, as nvidia-smi of a lost card, is not waited for", async () => {
  const started = performance.now();
  assertEquals(await askProgram("sh", ["-c", "echo half; sleep 60"], 0.3), "late");
  assert(performance.now() - started < 20_000);
  assertEquals(await askProgram("sh", ["-c", "echo all; exit 3"], 20), { success: false, stdout: "all\n" });
  assertEquals(await askProgram("/nowhere/none", [], 1), undefined);
});

Deno.test("doctor expects the Deno that the launcher installs", async () => {
  assertStringIncludes(await Deno.readTextFile(`${root}/softcot`), `\nDENO_VERSION=${PINNED_DENO}\n`);
});

Deno.test("doctor takes no arguments", async () => {
  assertEquals((await runSoftcot(["doctor", "now"])).code, 2);
});
