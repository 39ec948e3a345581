/** What is seen to before a device is looked for, as processes: no desktop is asked, and a driver is offered where none is. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findVulkan } from "../../../gpu/device/vulkan_driver.ts";
import { inFolder } from "../../support/folders.ts";
import { type Finished, runSoftcot, told } from "../support/run_softcot.ts";

const isLinux = Deno.build.os === "linux";
/** The software device's own file, and folders without any for the loader to look in. */
const software = isLinux ? findVulkan().drivers.find((file) => /lvp|swiftshader/.test(file)) : undefined;
const LOOK = ["model", "info", "--json"];

Deno.test({
  name: "a desktop that takes a connection and never answers does not hold a command up",
  ignore: !isLinux,
  fn: () =>
    inFolder(async (folder) => {
      using _silent = Deno.listen({ transport: "unix", path: `${folder}/wayland-0` });
      const env = { XDG_RUNTIME_DIR: folder, WAYLAND_DISPLAY: `${folder}/wayland-0` };
      const { code, stderr } = await runSoftcot(LOOK, env);
      assertEquals([code, stderr], [0, ""]);
    }),
});

Deno.test({
  name: "root installs a driver where none is, says so first, and goes on with it",
  ignore: software === undefined || Deno.uid() !== 0,
  fn: () =>
    inBareBox(async ({ program, env, said }) => {
      // Fails until its lists are fetched, as in a fresh container; then brings the driver's file, as the package does.
      program(
        "apt-get",
        `echo "$DEBIAN_FRONTEND $*" >>"$BOX/said"
[ "$1" = update ] && exec touch "$BOX/lists"
[ -e "$BOX/lists" ] && mkdir -p "$BOX/share/vulkan/icd.d" && cp '${software}' "$BOX/share/vulkan/icd.d/"`,
      );
      const { code, stdout, stderr } = await runSoftcot(LOOK, env);
      assertEquals(code, 0, stderr);
      assertMatch(
        stderr,
        /^softcot: no Vulkan driver was found: installing mesa-vulkan-drivers libvulkan1, .*\n$/,
      );
      const install = "noninteractive install -y --no-install-recommends mesa-vulkan-drivers libvulkan1\n";
      assertEquals(said(), `${install}noninteractive update\n${install}`);
      assertMatch(JSON.parse(stdout).memory.device ?? "llvmpipe", /llvmpipe/);
    }),
});

Deno.test({
  name:
    "a driver is not installed where that is forbidden, fails, or is for others to allow; it is said what would help",
  ignore: software === undefined,
  fn: () =>
    inBareBox(async ({ program, env, said }) => {
      const help =
        "softcot: no Vulkan driver was found; on Debian or Ubuntu 'apt-get install mesa-vulkan-drivers libvulkan1'";
      const refused = async (more: Record<string, string>, first: string, wrap?: typeof asNobody) => {
        const { code, stdout, stderr } = await (wrap ?? runSoftcot)(LOOK, { ...env, ...more });
        assertEquals([code, stdout], [1, ""], stderr);
        assertEquals(stderr.startsWith(first), true, stderr);
        assertMatch(stderr, /\nerror: Cannot open a GPU: no Vulkan adapter was found/);
      };
      await refused({}, help); // no apt-get
      program("apt-get", `echo "apt-get $*" >>"$BOX/said"; exit 1`);
      program("sudo", `echo "sudo $*" >>"$BOX/said"; exit 1`);
      await refused({ SOFTCOT_NO_INSTALL: "1" }, help);
      assertEquals(said(), "");
      if (Deno.uid() === 0) {
        await refused({}, "softcot: no Vulkan driver was found: installing");
        assertStringIncludes(said(), "apt-get update\n");
        Deno.removeSync(`${env.BOX}/said`);
      }
      if (Deno.uid() === 0 && !canBeNobody()) return;
      const wrap = Deno.uid() === 0 ? asNobody : undefined;
      await refused({}, help, wrap); // no terminal to ask at
      assertEquals(said(), "");
      await refused({ SOFTCOT_INSTALL: "1" }, "softcot: no Vulkan driver was found: installing", wrap);
      const [first] = said().split("\n");
      assertMatch(first, /^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install /);
    }),
});

Deno.test({
  name: "where the environment names the drivers, none is installed beside them",
  ignore: !isLinux,
  fn: () =>
    inBareBox(async ({ program, env, said }) => {
      program("apt-get", `echo "$*" >>"$BOX/said"`);
      const named = { VK_DRIVER_FILES: "/nowhere/none.json", VK_ICD_FILENAMES: "/nowhere/none.json" };
      const { code, stderr } = await runSoftcot(LOOK, { ...env, ...named });
      assertEquals([code, said()], [1, ""]);
      assertMatch(stderr, /^error: Cannot open a GPU/);
    }),
});

/** A world in which Vulkan's loader finds no driver, and the PATH holds what is put there. */
async function inBareBox(work: (box: BareBox) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    for (const name of ["bin", "share", "home"]) Deno.mkdirSync(`${folder}/${name}`);
    for (const tool of ["sh", "env", "cp", "mkdir", "touch"]) {
      Deno.symlinkSync(`/bin/${tool}`, `${folder}/bin/${tool}`);
    }
    await work({
      program(name, lines) {
        Deno.writeTextFileSync(`${folder}/bin/${name}`, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
      },
      said() {
        try {
          return Deno.readTextFileSync(`${folder}/said`);
        } catch {
          return "";
        }
      },
      env: {
        BOX: folder,
        PATH: `${folder}/bin`,
        HOME: `${folder}/home`,
        XDG_CONFIG_DIRS: `${folder}/share`,
        XDG_DATA_DIRS: `${folder}/share`,
        DENO_DIR: Deno.env.get("DENO_DIR") ??
          `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`,
      },
    });
  });
}

interface BareBox {
  env: Record<string, string>;
  program(name: string, lines: string): void;
  /** What the programs noted. */
  said(): string;
}

/** Whether this system lets a process be nobody while it keeps its files. */
function canBeNobody(): boolean {
  try {
    return new Deno.Command("/usr/bin/unshare", { args: ["-U", "true"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs the program in a namespace where its user has no name and is not root. */
async function asNobody(args: string[], env: Record<string, string>): Promise<Finished> {
  const wrapped = new Deno.Command("/usr/bin/unshare", {
    args: ["-U", Deno.execPath(), "run", "-A", "--no-prompt", "--quiet", "cli/main.ts", ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  return told(await wrapped.output());
}
