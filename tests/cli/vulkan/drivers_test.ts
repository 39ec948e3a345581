/** Why there is no device, told apart; and NVIDIA's driver, which is named to the loader where no file does. Planted files stand for it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { driverFile, playCards, PLAYED, softwareDriver } from "../../support/card/play_cards.ts";
import { inFolder, testFolder } from "../../support/folders.ts";
import { type Finished, programWords, runSoftcot, startUnpacked, told } from "../support/run_softcot.ts";

const folder = await testFolder();
await startUnpacked(folder);
const libraries = `${folder}/libraries`;
Deno.mkdirSync(libraries);
// A driver of this name needs no desktop; it is Mesa's software device in the clothes of NVIDIA's cards.
const nvidia = await playCards(libraries, "libEGL_nvidia.so.0");
const software = softwareDriver();
const isLinux = Deno.build.os === "linux";
const LOOK = ["model", "info", "--json"];

/** A world in which the loader finds no driver but those below `share`, and what softcot keeps goes to `kept`. */
async function inBareWorld(work: (env: Record<string, string>, at: string) => Promise<void>): Promise<void> {
  await inFolder(async (at) => {
    for (const name of ["share/vulkan/icd.d", "kept"]) Deno.mkdirSync(`${at}/${name}`, { recursive: true });
    const home = Deno.env.get("HOME");
    await work({
      ...{
        HOME: `${at}/home`,
        XDG_CONFIG_DIRS: `${at}/share`,
        XDG_DATA_DIRS: `${at}/share`,
        SOFTCOT_NO_INSTALL: "1",
      },
      SOFTCOT_CACHE: `${at}/kept`,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/deno`,
    }, at);
  });
}

Deno.test({
  name: "no loader, no file that names a driver, and files that name none are told apart",
  ignore: !isLinux,
  fn: () =>
    inBareWorld(async (env, at) => {
      // The system's linker stops at a library that is none.
      Deno.mkdirSync(`${at}/broken`);
      Deno.writeTextFileSync(`${at}/broken/libvulkan.so.1`, "");
      const none = await runSoftcot(LOOK, { ...env, LD_LIBRARY_PATH: `${at}/broken` });
      assertEquals(none.code, 1);
      assertStringIncludes(
        none.stderr,
        "error: Cannot open a GPU: Vulkan's loader (libvulkan.so.1) is not here",
      );
      assertStringIncludes(none.stderr, "hint: apt-get install mesa-vulkan-drivers libvulkan1 brings");
      if (nvidia) {
        const alone = await runSoftcot(LOOK, { ...env, LD_LIBRARY_PATH: `${at}/broken:${libraries}` });
        assertEquals(alone.code, 1);
        assertMatch(
          alone.stderr,
          /^softcot: a Vulkan driver is here, but not Vulkan's loader \(.*'apt-get install libvulkan1' brings it\n/,
        );
        assertStringIncludes(alone.stderr, "\nhint: install it: libvulkan1 on Debian");
      }
      const unnamed = await runSoftcot(LOOK, env);
      assertEquals(unnamed.code, 1);
      assertStringIncludes(
        unnamed.stderr,
        "no Vulkan adapter was found: no file names a driver to Vulkan's loader, one is",
      );
      const wrong = await runSoftcot(LOOK, { ...env, VK_DRIVER_FILES: `${at}/none.json` });
      assertStringIncludes(
        wrong.stderr,
        `with VK_DRIVER_FILES=${at}/none.json in the environment no file that is here names a driver`,
      );
      assertStringIncludes(wrong.stderr, "\nhint: unset VK_DRIVER_FILES, or");
      const file = `${at}/share/vulkan/icd.d/dead.json`;
      Deno.writeTextFileSync(file, driverFile("libno_such_driver.so"));
      const dead = await runSoftcot(LOOK, env);
      assertStringIncludes(
        dead.stderr,
        `none of the drivers has a device (${file}: libno_such_driver.so: cannot open shared object file: No such file or directory), ` +
          "one is needed\nhint: install the",
      );
    }),
});

Deno.test({
  name: "what the environment asks of drivers or of WebGPU, and nothing answers to, is named with its value",
  ignore: software === undefined,
  fn: () =>
    inBareWorld(async (env, at) => {
      Deno.copyFileSync(software!.file, `${at}/share/vulkan/icd.d/software.json`);
      Deno.writeTextFileSync(`${at}/garbage.json`, "garbage");
      const refused = async (name: string, value: string, told: string) => {
        const { code, stderr } = await runSoftcot(LOOK, { ...env, [name]: value });
        assertEquals(code, 1, stderr);
        assertMatch(stderr, /^error: Cannot open a GPU: .*\nhint: unset /);
        assertStringIncludes(stderr, told);
        assertStringIncludes(stderr, `\nhint: unset ${name}`);
      };
      const garbage = `${at}/garbage.json`;
      for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
        const told =
          `with ${name}=${garbage} in the environment none of the drivers has a device (${garbage} is no`;
        await refused(name, garbage, told);
      }
      await refused("DENO_WEBGPU_BACKEND", "gl", "DENO_WEBGPU_BACKEND is gl in the environment, vulkan is");
      await refused("DENO_WEBGPU_BACKEND", "nonsense", "DENO_WEBGPU_BACKEND is nonsense in the environment");
      // Loaders before 1.3.234 do not know these.
      for (
        const [name, value] of [["VK_LOADER_DRIVERS_SELECT", "*nv*"], ["VK_LOADER_DRIVERS_DISABLE", "*"]]
      ) {
        if ((await runSoftcot(LOOK, { ...env, [name]: value })).code === 0) continue;
        await refused(name, value, `with ${name}=${value} in the environment none of the drivers has`);
      }
    }),
});

Deno.test({
  name:
    "a card of NVIDIA's whose driver is missing, broken or lists none is told with what helps; the software " +
    "device takes its place where it is asked for by its name alone",
  ignore: software === undefined,
  fn: () =>
    inBareWorld(async (env, at) => {
      const without = await withNvidiaNode(at, env);
      if (!without) return console.log("skipped: this system allows no namespaces");
      const missing =
        "an NVIDIA card is here, but not its Vulkan driver (libEGL_nvidia.so.0), one is needed\nhint: in a container, " +
        "start it with NVIDIA_DRIVER_CAPABILITIES=all";
      assertEquals(without.code, 1);
      assertMatch(without.stderr, /^error: Cannot open a GPU: no Vulkan adapter was found: an NVIDIA/);
      assertStringIncludes(without.stderr, missing);
      Deno.copyFileSync(software!.file, `${at}/share/vulkan/icd.d/software.json`);
      const refused = async (told: RegExp, more: Record<string, string> = {}) => {
        const { code, stdout, stderr } = (await withNvidiaNode(at, { ...env, ...more }))!;
        assertEquals([code, stdout], [1, ""], stderr);
        assertMatch(
          stderr,
          /^error: Cannot open a GPU: an NVIDIA card .* is not taken in its place unless it is asked/,
        );
        assertMatch(stderr, /; --gpu llvmpipe takes the software device, hundreds of times slower\n$/);
        assertMatch(stderr, told);
      };
      await refused(/an NVIDIA card is here, but not its Vulkan driver \(libEGL_nvidia\.so\.0\)/);
      // A number may be meant for the card that is not listed.
      await refused(/NVIDIA_DRIVER_CAPABILITIES=all/, { SOFTCOT_GPU: "0" });
      const other = (await withNvidiaNode(at, { ...env, SOFTCOT_GPU: "1" }))!;
      assertMatch(
        other.stderr,
        /: there is none such, .*\nhint: the devices are: 0 llvmpipe.*; an NVIDIA card is here, but/,
      );
      const asked = (await withNvidiaNode(at, { ...env, SOFTCOT_GPU: "llvmpipe" }))!;
      assertEquals([asked.code, asked.stderr], [0, ""]);
      const needs = [["libXext.so.99", "install what it needs: .*apt-get install libegl1"]];
      needs.push(["libnvidia-glsi.so.1", "that is a part of NVIDIA's driver"]);
      for (const [needed, hint] of needs) {
        const broken = `${at}/${needed}`;
        if (!await driverWithoutCards(broken, needed)) return console.log("skipped: there is no compiler");
        const told =
          `libEGL_nvidia.so.0 is, too, but it cannot be opened: ${needed} is missing, .*\\nhint: ${hint}`;
        await refused(new RegExp(told), { LD_LIBRARY_PATH: broken });
      }
      // A driver that can be opened, and has no card: its kernel's is of another version, or the card has fallen off.
      await driverWithoutCards(`${at}/empty`);
      await refused(/its Vulkan driver \(libEGL_nvidia\.so\.0\) lists none/, {
        LD_LIBRARY_PATH: `${at}/empty`,
      });
    }),
});

Deno.test({
  name:
    "NVIDIA's driver is named where its library is here and no file names it, beside the drivers that are",
  ignore: nvidia === undefined,
  fn: () =>
    inBareWorld(async (env, at) => {
      const look = async (more: Record<string, string> = {}) => {
        const { code, stdout, stderr } = await runSoftcot(LOOK, {
          ...env,
          LD_LIBRARY_PATH: libraries,
          ...more,
        });
        assertEquals([code, stderr], [0, ""]);
        return JSON.parse(stdout).memory.device as string;
      };
      const kept = `${at}/kept/nvidia_icd.json`;
      assertStringIncludes(await look(), PLAYED.name);
      assertEquals(JSON.parse(Deno.readTextFileSync(kept)).ICD.library_path, "libEGL_nvidia.so.0");
      // What is there already is made anew, and stays in reach.
      Deno.writeTextFileSync(kept, driverFile("libevil.so"));
      Deno.copyFileSync(software!.file, `${at}/share/vulkan/icd.d/software.json`);
      assertStringIncludes(await look(), PLAYED.name);
      assertStringIncludes(await look({ SOFTCOT_GPU: "llvmpipe" }), "llvmpipe");
      // A file that names a library of NVIDIA's that cannot be opened, as without a desktop's libraries, names none.
      const file = `${at}/share/vulkan/icd.d/nvidia_icd.json`;
      Deno.writeTextFileSync(file, driverFile("libGLX_nvidia.so.0"));
      assertStringIncludes(await look(), PLAYED.name);
      // One that can be opened is enough.
      Deno.removeSync(kept);
      Deno.writeTextFileSync(file, driverFile("libEGL_nvidia.so.0"));
      assertStringIncludes(await look(), PLAYED.name);
      assertEquals([...Deno.readDirSync(`${at}/kept`)], []);
      // What the environment names is the user's own affair.
      Deno.removeSync(file);
      assertStringIncludes(
        await look({ VK_DRIVER_FILES: software!.file, VK_ICD_FILENAMES: software!.file }),
        "llvmpipe",
      );
      assertEquals([...Deno.readDirSync(`${at}/kept`)], []);
    }),
});

Deno.test({
  name: "the file for NVIDIA's driver goes where others cannot write, and through no link",
  ignore: nvidia === undefined,
  fn: () =>
    inBareWorld(async (env, at) => {
      const look = async () => {
        const { code, stderr } = await runSoftcot(LOOK, { ...env, LD_LIBRARY_PATH: libraries });
        assertEquals([code, stderr], [0, ""]);
      };
      const files = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name);
      Deno.chmodSync(`${at}/kept`, 0o777);
      await look();
      assertEquals(files(`${at}/kept`), []);
      assertEquals(files(`${at}/home/.cache/softcot`), ["nvidia_icd.json"]);
      assertEquals(Deno.statSync(`${at}/home/.cache/softcot`).mode! & 0o777, 0o700);
      Deno.chmodSync(`${at}/kept`, 0o700);
      Deno.writeTextFileSync(`${at}/precious`, "precious");
      Deno.symlinkSync(`${at}/precious`, `${at}/kept/nvidia_icd.json`);
      await look();
      assertEquals(Deno.readTextFileSync(`${at}/precious`), "precious");
      assert(Deno.lstatSync(`${at}/kept/nvidia_icd.json`).isFile);
    }),
});

/** Compiles a driver that is NVIDIA's by its name and lists no cards into a new folder; it may need a library that is not there. */
async function driverWithoutCards(folder: string, needed?: string): Promise<boolean> {
  Deno.mkdirSync(folder);
  const source = `${folder}/driver.c`;
  Deno.writeTextFileSync(source, "void *vk_icdGetInstanceProcAddr(void) { return 0; }\n");
  const compile = async (name: string, ...more: string[]) => {
    const args = ["-shared", "-fPIC", "-o", `${folder}/${name}`, source, ...more];
    return (await new Deno.Command("cc", { args }).output()).success;
  };
  try {
    if (needed === undefined) return await compile("libEGL_nvidia.so.0");
    const linked = ["-Wl,--no-as-needed", `-L${folder}`, `-l:${needed}`];
    const isMade = await compile(needed, `-Wl,-soname,${needed}`) &&
      await compile("libEGL_nvidia.so.0", ...linked);
    Deno.removeSync(`${folder}/${needed}`);
    return isMade;
  } catch {
    return false; // no compiler
  }
}

/** Runs a command in a namespace whose /dev has the node that NVIDIA's kernel driver makes; undefined where there are no namespaces. */
async function withNvidiaNode(at: string, env: Record<string, string>): Promise<Finished | undefined> {
  const script = `mount -t tmpfs tmpfs "$AT" || exit 77
for name in null zero random urandom; do touch "$AT/$name" && mount --bind "/dev/$name" "$AT/$name"; done
touch "$AT/nvidiactl" && mount --rbind "$AT" /dev || exit 77
exec "$@"`;
  Deno.mkdirSync(`${at}/dev`, { recursive: true });
  const program = [...programWords(), ...LOOK];
  const command = new Deno.Command("unshare", {
    args: ["-rm", "sh", "-c", script, "sh", ...program],
    env: { NO_COLOR: "1", AT: `${at}/dev`, ...env },
    stdin: "null",
  });
  const done = await command.output().then(told, () => undefined);
  return done && done.code !== 77 && !done.stderr.startsWith("unshare:") ? done : undefined;
}
