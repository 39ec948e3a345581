/**
 * Choosing a device, as processes: beside the software device stand three alike cards that a driver of these tests plays, and that notes
 * which of them is opened.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { playCards, PLAYED, softwareDriver } from "../../support/card/play_cards.ts";
import { testFolder } from "../../support/folders.ts";
import { finish, runSoftcot } from "../support/run_softcot.ts";

const folder = await testFolder();
const cards = await playCards(folder);
const software = softwareDriver();
// By this name loaders add drivers to what they find; the other two are those that choosing sets.
const env: Record<string, string> = {
  VK_DRIVER_FILES: [cards?.file, software?.file].join(":"),
  VK_ICD_FILENAMES: [cards?.file, software?.file].join(":"),
};
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: cards === undefined });

/** Opens a device by `softcot model info`; tells which cards were opened, and what was said. */
async function open(args: string[], more: Record<string, string> = {}) {
  const log = `${folder}/${crypto.randomUUID()}`;
  const { code, stdout, stderr } = await runSoftcot(["model", "info", "--json", ...args], {
    ...env,
    CARD_LOG: log,
    ...more,
  });
  const opened = await Deno.readTextFile(log).then((text) => text.trim().split("\n"), () => []);
  return {
    code,
    stderr,
    opened: [...new Set(opened)],
    memory: code === 0 ? JSON.parse(stdout).memory : undefined,
  };
}

test("alike cards are chosen by number or by place: that very one is opened, or the refusal names the ways", async () => {
  for (const [number, bus] of PLAYED.buses.entries()) {
    const place = `${bus.toString(16)}:00.0`;
    const wanted = [`${number}`, place, `00000000:${place}`, `0000:${place}`][number];
    const { code, stderr, opened, memory } = await open(["--gpu", wanted]);
    if (code === 0) {
      assertEquals(opened, [bus.toString(16)], wanted);
      assertEquals([memory.device.startsWith(PLAYED.name), memory.free], [true, PLAYED.free[number]]);
    } else {
      // Mesa's layer of before 23 cannot tell the middle one from the others.
      assertEquals([number, opened], [1, []], stderr);
      assertMatch(stderr, /^error: Cannot use the device .* and nothing here makes Vulkan give this one, /);
      assertMatch(
        stderr,
        /\nhint: start in a container that has this device alone \(docker run --gpus device=K\), or/,
      );
    }
  }
});

test("cards of other models are chosen without Mesa's layer, too, where the loader orders them", async () => {
  // Nothing but drivers is in reach there.
  const bare = `${folder}/bare/vulkan/icd.d`;
  await Deno.mkdir(bare, { recursive: true });
  await playCards(bare, "mixed.so", { models: [0x2335, 0x27b8, 0x2330] });
  await Deno.copyFile(software!.file, `${bare}/software.json`);
  const more = { XDG_DATA_DIRS: `${folder}/bare`, VK_DRIVER_FILES: "", VK_ICD_FILENAMES: "" };
  for (const [number, bus] of PLAYED.buses.entries()) {
    const { code, stderr, opened } = await open(["--gpu", `${number}`], more);
    // Loaders have that since 1.3.207.
    if (code !== 0) assertStringIncludes(stderr, "nothing here makes Vulkan give this one");
    assertEquals(opened, code === 0 ? [bus.toString(16)] : [], stderr);
  }
  const chosen = await open(["--gpu", "llvmpipe"], more);
  assertEquals([chosen.code, chosen.opened], [0, []], chosen.stderr);
});

test("without a choice the first card is opened; the software device is chosen by a part of its name", async () => {
  const first = await open([]);
  assertEquals([first.code, first.opened], [0, ["65"]], first.stderr);
  const chosen = await open(["--gpu", "llvmpipe"]);
  assertEquals([chosen.code, chosen.opened], [0, []], chosen.stderr);
  assertStringIncludes(chosen.memory.device, "llvmpipe");
  const bySetting = await open([], { SOFTCOT_GPU: "3" });
  assertEquals([bySetting.code, bySetting.opened], [0, []], bySetting.stderr);
  // The flag has the last word.
  assertEquals((await open(["--gpu", "0"], { SOFTCOT_GPU: "3" })).opened, ["65"]);
});

test("what no device or several answer to is refused with the list", async () => {
  for (
    const [wanted, told] of [["9", "there is none such"], ["h200", "3 are called so"], [
      "0000:01:00.0",
      "none such",
    ]]
  ) {
    const { code, stderr, opened } = await open(["--gpu", wanted]);
    assertEquals([code, opened], [1, []]);
    assertStringIncludes(stderr, `error: Cannot use the device ${wanted}: `);
    assertStringIncludes(stderr, told);
    assertStringIncludes(
      stderr,
      "hint: the devices are: 0 NVIDIA H200 at 0000:65:00.0, 1 NVIDIA H200 at 0000:66:00.0, ",
    );
  }
});

test("a blank where a device is to be named is wrong usage; a variable that is empty names none", async () => {
  for (const blank of ["", " "]) {
    const { code, stderr, opened } = await open(["--gpu", blank]);
    assertEquals([code, opened], [2, []], stderr);
    assertStringIncludes(stderr, `error: Option "--gpu" must name a device, but got "${blank}".`);
  }
  assertEquals((await open([], { SOFTCOT_GPU: "" })).opened, ["65"]);
});

test("where a process keeps to the device that it has, another one is refused after opening", async () => {
  const script = `const { openGpu } = await import("./gpu/device/open_gpu.ts");
Deno.env.set("VK_DRIVER_FILES", "${cards?.file}");
Deno.env.set("VK_ICD_FILENAMES", "${cards?.file}");
Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
await navigator.gpu.requestAdapter();
Deno.env.set("VK_DRIVER_FILES", "${software?.file}");
Deno.env.set("VK_ICD_FILENAMES", "${software?.file}");
await openGpu({ gpu: "llvmpipe" }).then(() => console.log("opened"), (error) => console.log(error.message));`;
  const { stdout } = await finish(Deno.execPath(), ["eval", script], { XDG_RUNTIME_DIR: "/dev/null" });
  assertEquals(
    stdout.replace(/\(LLVM[^)]*\)/, "()"),
    "Cannot open the device llvmpipe (): WebGPU gave NVIDIA H200 instead\n",
  );
});

test("a training that does not fit the device that it would take is told of one that it fits", async () => {
  const full = `${folder}/full`;
  await Deno.mkdir(full);
  const free = [40, 100, 3000].map((mib) => mib * 2 ** 20);
  const { file } = (await playCards(full, "cards.so", { free }))!;
  const named = { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
  const { code, stderr } = await runSoftcot(["train", "--out", `${folder}/run`], named);
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /^error: Cannot train builtin: it needs .*, 40\.0 MiB are free by its driver$/m);
  assertMatch(stderr, /^hint: --gpu 2 has 2\.93 GiB free \(NVIDIA H200 at 0000:67:00\.0\); /m);
  // Without Mesa's layer a driver's file is chosen, which hides the cards of the other one: numbers stay those of all of them.
  const drivers = `${full}/two/vulkan/icd.d`;
  await Deno.mkdir(drivers, { recursive: true });
  await playCards(drivers, "first.so", { free: [40, 40, 40].map((mib) => mib * 2 ** 20) });
  await Deno.rename(`${drivers}/cards.json`, `${drivers}/first.json`);
  await playCards(drivers, "second.so", { free, models: [0x27b8, 0x2335, 0x2335] });
  const bare = { XDG_DATA_DIRS: `${full}/two`, VK_DRIVER_FILES: "", VK_ICD_FILENAMES: "" };
  const hidden = await runSoftcot(["train", "--out", `${folder}/run`, "--gpu", "1"], bare);
  assertEquals(hidden.code, 1, hidden.stderr);
  assertMatch(hidden.stderr, /^hint: --gpu [45] has 2\.93 GiB free \(NVIDIA H200 at 0000:67:00\.0\); /m);
});

test("doctor lists the devices with what nvidia-smi says of them, and cards that Vulkan does not have", async () => {
  Deno.mkdirSync(`${folder}/bin`);
  const lines = [0x65, 0x66, 0x67, 0x68].map((bus, k) =>
    `${k}, NVIDIA H200, 00000000:${bus.toString(16)}:00.0, ${
      k === 2 ? "[N/A], [N/A]" : `${9000 + k}, ${10 * k}`
    }, 570.1`
  );
  lines.push("Unable to determine the device handle for GPU 0000:69:00.0: Unknown Error");
  const text = `#!/bin/sh\ncat <<'END'\n${lines.join("\n")}\nEND\nexit 14\n`;
  Deno.writeTextFileSync(`${folder}/bin/nvidia-smi`, text, { mode: 0o755 });
  const PATH = `${folder}/bin:${Deno.env.get("PATH")}`;
  const { code, stdout, stderr } = await runSoftcot(["doctor", "--gpu", "llvmpipe"], { ...env, PATH });
  assertEquals(code, 0, stderr);
  assertMatch(
    stdout,
    /^1 +NVIDIA H200 +discrete +10de:2335 +0000:66:00\.0 +140 GiB +3\.91 GiB +played .* 1: 8\.79 GiB free, 10% busy, driver 570\.1$/m,
  );
  // In MIG mode some is not known.
  assertMatch(stdout, /^2 +NVIDIA H200 .* 2: driver 570\.1$/m);
  assertMatch(stdout, /^note +nvidia-smi +it failed, after 4 cards: Unable to determine the device handle/m);
  assertMatch(stdout, /^3\* +llvmpipe .* software +10005:0000 /m);
  assertMatch(
    stdout,
    /^note +hidden GPU +nvidia-smi lists NVIDIA H200 at 0000:68:00\.0, Vulkan does not \(its driver lists others: /m,
  );
  assertMatch(stdout, /^Used is device 3, software: /m);
});
