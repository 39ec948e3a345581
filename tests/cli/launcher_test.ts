import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { root } from "../support/places.ts";
import { until } from "../support/until.ts";
import { finish, type Finished } from "./support/run_softcot.ts";

const launcher = join(root, "softcot");
const pinned = Deno.readTextFileSync(launcher).match(/^DENO_VERSION=(\S+)$/m)?.[1];

/** A folder with a cache and a PATH of its own: the usual tools, and scripts that stand for others. */
async function inBox(work: (box: Box) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "softcot launcher " });
  try {
    await Deno.mkdir(join(folder, "bin"));
    for (
      const tool of [
        "sh",
        "env",
        "id",
        "uname",
        "readlink",
        "mkdir",
        "mv",
        "rm",
        "chmod",
        "tail",
        "cat",
        "ln",
        "cp",
        "ls",
        "mktemp",
        "sha256sum",
      ]
    ) {
      const path = await where(tool);
      await Deno.symlink(path, join(folder, "bin", tool));
    }
    await work({
      folder,
      cached: join(folder, "cache", "softcot", `deno-${pinned}`, "deno"),
      script: async (name, lines) => {
        const path = join(folder, "bin", name);
        await Deno.writeTextFile(path, `#!/bin/sh\n${lines}\n`);
        await Deno.chmod(path, 0o755);
      },
      start: (args, env = {}) =>
        finish(launcher, args, {
          PATH: join(folder, "bin"),
          XDG_CACHE_HOME: join(folder, "cache"),
          DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "/", ".cache", "deno"),
          ...env,
        }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Box {
  folder: string;
  /** Where the launcher keeps its own Deno. */
  cached: string;
  script(name: string, lines: string): Promise<void>;
  start(args: string[], env?: Record<string, string>): Promise<Finished>;
}

/** A stand-in for npm that brings the Deno of this test in the shape of the real package. */
const npm = `[ "$1 $2 $3" = "install --prefix ." ] || exit 1
for last; do :; done
[ "$last" = "deno@${pinned}" ] || exit 1
mkdir -p node_modules/@deno/any-platform
cp "${Deno.execPath()}" node_modules/@deno/any-platform/deno`;

Deno.test("the pinned Deno is the one that runs these tests, and is named in one place", async () => {
  assertEquals(pinned, Deno.version.deno);
  const { code, stdout } = await finish("git", [
    "-C",
    root,
    "grep",
    "-lFI",
    pinned!,
    "--",
    ":!*.md",
    ":!deno.lock",
  ]);
  // Two places, because the launcher is no TypeScript; the test of doctor holds them against each other.
  if (code === 0) assertEquals(stdout.trim().split("\n"), ["cli/facts/pinned_deno.ts", "softcot"]);
});

Deno.test("the lock file names versions and hashes, and no address to fetch them from", async () => {
  const lock = await Deno.readTextFile(join(root, "deno.lock"));
  assertStringIncludes(lock, '"integrity"');
  assert(!/https?:/.test(lock));
});

Deno.test("a Deno of the pinned version on the PATH is used, nothing is installed", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    const { code, stdout, stderr } = await start(["--version"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, project.version);
    assertEquals(await exists(join(folder, "cache")), false);
  }));

Deno.test("a working folder that was removed and too few addresses are told; a home that is a file is none", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    const { code, stdout, stderr } = await finish("sh", [
      "-c",
      `mkdir "$1/gone" && cd "$1/gone" && rmdir "$1/gone" && "$2" --version`,
      ...["sh", folder, launcher],
    ]);
    assertEquals([code, stdout], [1, ""]);
    // The shell itself may say so first.
    assertStringIncludes(
      stderr,
      "error: Cannot start here: the working folder was removed\nhint: cd to one that is there\n",
    );
    const few = await finish("sh", ["-c", 'ulimit -v 8000000 && "$1" --version', "sh", launcher]);
    assertEquals([few.code, few.stdout], [1, ""]);
    assertStringIncludes(
      few.stderr,
      "error: Cannot start here: ulimit -v leaves 8 GB of addresses, 36 GB are needed\nhint: they are reserved, not used",
    );
    const started = await start(["--version"], { HOME: "/dev/null" });
    assertEquals([started.code, started.stderr], [0, ""]);
  }));

Deno.test("few open files are told, be they too few for Deno itself, and are made more where they may be", () =>
  inBox(async ({ folder, script }) => {
    await script("deno", `exec "${Deno.execPath()}" "$@"`);
    const limited = (limit: string) =>
      finish("sh", ["-c", `ulimit ${limit} && "$2" --version`, "sh", folder, launcher]);
    for (const limit of [16, 63]) {
      const few = await limited(`-n ${limit}`);
      assertEquals([few.code, few.stdout], [1, ""]);
      assertStringIncludes(
        few.stderr,
        `error: Cannot start here: ulimit -n leaves ${limit} open files, 64 are needed\n`,
      );
    }
    for (const limit of ["-n 64", "-S -n 16"]) assertEquals((await limited(limit)).code, 0);
  }));

Deno.test("what cannot be said on stderr changes nothing else: Deno is installed, and what is refused ends with 1", () =>
  inBox(async ({ folder, script, cached }) => {
    const silent = (nowhere: string, env = `XDG_CACHE_HOME="$2/cache"`) =>
      finish("sh", ["-c", `PATH="$2/bin" ${env} "$1" --version ${nowhere}`, "sh", launcher, folder]);
    await script("npm", npm);
    for (const nowhere of ["2>&-", "2>/dev/full", "2>&1 >/dev/null | true"]) {
      const { stdout } = await silent(nowhere);
      if (!nowhere.endsWith("true")) assertStringIncludes(stdout, project.version);
      assert(await exists(cached), nowhere);
      await Deno.remove(cached);
    }
    for (const nowhere of ["2>&-", "2>/dev/full"]) {
      assertEquals((await silent(nowhere, "HOME= XDG_CACHE_HOME=")).code, 1);
    }
  }));

Deno.test("another version on the PATH is passed over, and the pinned one installed once from npm", () =>
  inBox(async ({ cached, script, start }) => {
    await script("deno", "echo deno 1.0.0");
    await script("npm", npm);
    const first = await start(["--version"]);
    assertEquals(first.code, 0, first.stderr);
    assertStringIncludes(first.stderr, `installing Deno ${pinned}`);
    assertStringIncludes(first.stdout, project.version);
    assert(await exists(cached));
    assertEquals([...Deno.readDirSync(join(cached, ".."))].map(({ name }) => name), ["deno"]);
    await script("npm", "exit 1");
    const second = await start(["--version"]);
    assertEquals([second.code, second.stderr], [0, ""]);
  }));

Deno.test("where npm brings nothing that runs, pip is asked, and then the user", () =>
  inBox(async ({ cached, script, start }) => {
    await script("npm", "exit 1");
    await script("python3", "echo no such package >&2; exit 1");
    const failed = await start(["--version"]);
    assertEquals([failed.code, failed.stdout], [1, ""]);
    assertMatch(
      failed.stderr,
      /no such package\nerror: Cannot install Deno .*\nhint: install Deno .* by hand/,
    );
    assertEquals(await exists(cached), false);
    assertEquals([...Deno.readDirSync(join(cached, ".."))], []);
    await script(
      "python3",
      `[ "$1 $2 $3 $4" = "-I -m pip install" ] || exit 1
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/bin" && cp "${Deno.execPath()}" "$2/bin/deno"`,
    );
    assertEquals((await start(["--version"])).code, 0);
  }));

Deno.test("a folder for packages that cannot be made is told in words", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    await Deno.writeTextFile(join(folder, "file"), "");
    for (
      const [place, env] of [
        [join(folder, "file", "deno"), {}],
        [join(folder, "file", "home", ".cache", "deno"), {
          XDG_CACHE_HOME: "",
          HOME: join(folder, "file", "home"),
        }],
      ] as const
    ) {
      const DENO_DIR = "HOME" in env ? "" : place;
      const { code, stdout, stderr } = await start(["--version"], { ...env, DENO_DIR });
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(
        stderr,
        `error: Cannot write to ${place}, where Deno keeps packages and compiled code\n`,
      );
      assertStringIncludes(stderr, "hint: set DENO_DIR to a folder that can be written\n");
    }
  }));

Deno.test("a link to the launcher starts the same program, from any folder", () =>
  inBox(async ({ folder, script, start }) => {
    await script("npm", npm);
    await start(["--version"]);
    await Deno.symlink(launcher, join(folder, "real link"));
    await Deno.symlink("real link", join(folder, "link"));
    const { code, stdout } = await finish(join(folder, "link"), ["settings", "--json"], {
      PATH: join(folder, "bin"),
      XDG_CACHE_HOME: join(folder, "cache"),
    });
    assertEquals(code, 0);
    assertEquals(JSON.parse(stdout).task.from, "default");
  }));

Deno.test("sh and a name without a slash start what lies in the folder, then what lies on the PATH", () =>
  inBox(async ({ folder, script, start }) => {
    await script("deno", `[ "$1" != -V ] || { echo 'deno ${pinned}'; exit; }\necho "$*"`);
    await script("softcot", "echo another");
    const inFolder = (name: string) =>
      finish("sh", ["-c", `cd "$1" && PATH="$1/bin" exec sh "$2" settings`, "sh", folder, name], {
        XDG_CACHE_HOME: join(folder, "cache"),
        DENO_DIR: folder,
      });
    await Deno.symlink(launcher, join(folder, "link"));
    await Deno.symlink("link", join(folder, "softcot"));
    for (const name of ["link", "softcot"]) {
      const { code, stdout, stderr } = await inFolder(name);
      assertEquals([code, stdout.split(" ").at(-2)], [0, join(root, "cli/main.ts")], stderr);
    }
    assertEquals((await start(["settings"])).code, 0);
  }));

Deno.test("arguments and the exit status go through unchanged", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    const { code, stderr } = await start(["settings", "--model", "two words", "--gamma", "x y"]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'but got "x y"');
    const { stdout } = await start(["settings", "--model", "two  'words' $HOME", "--json"]);
    assertEquals(JSON.parse(stdout).model.value, "two  'words' $HOME");
  }));

Deno.test("a view is started with a small young generation, as a built file starts it; other commands are not", () =>
  inBox(async ({ script, start }) => {
    await script("deno", `[ "$1" != -V ] || { echo 'deno ${pinned}'; exit; }\necho "$*"`);
    const flag = "--v8-flags=--max-semi-space-size=2";
    assertStringIncludes((await start(["view", "runs"])).stdout, ` ${flag} `);
    assertEquals((await start(["train"])).stdout.includes("--v8-flags"), false);
    assertStringIncludes(
      Deno.readTextFileSync(join(root, "release", "start.sh")),
      `view ] || heap=${flag}\n`,
    );
  }));

Deno.test("softcot deno runs the pinned Deno, with the Vulkan backend chosen", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    const { code, stdout } = await start([
      "deno",
      "eval",
      "console.log(Deno.env.get('DENO_WEBGPU_BACKEND'))",
    ]);
    assertEquals([code, stdout], [0, Deno.build.os === "darwin" ? "undefined\n" : "vulkan\n"]);
    const version = await start(["deno", "--version"]);
    assertStringIncludes(version.stdout, `deno ${pinned}`);
  }));

Deno.test("a signal reaches the program itself", () =>
  inBox(async ({ folder, script }) => {
    // The shell is replaced, so the process that was started is Deno.
    await script("deno", `[ "$1" = -V ] && echo "deno ${pinned}" || echo $$`);
    const child = new Deno.Command(launcher, {
      args: ["settings"],
      env: { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") },
      stdout: "piped",
    }).spawn();
    const { stdout } = await child.output();
    assertEquals(new TextDecoder().decode(stdout).trim(), String(child.pid));
  }));

Deno.test("an installation that a signal stops ends with that signal's status and leaves nothing", () =>
  inBox(async ({ folder, cached, script }) => {
    await script("npm", `: >started; exec ${await where("sleep")} 0.5`);
    for (const [signal, status] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const child = new Deno.Command(launcher, {
        args: ["--version"],
        env: { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") },
        stderr: "null",
      }).spawn();
      const hasStarted = () => {
        try {
          const [install] = Deno.readDirSync(join(cached, ".."));
          return Deno.statSync(join(cached, "..", install.name, "started")).isFile;
        } catch {
          return false;
        }
      };
      let ended = false;
      const end = child.status.finally(() => ended = true);
      await until(() => hasStarted() || ended, "it installs");
      child.kill(signal);
      assertEquals((await end).code, status);
      assertEquals([...Deno.readDirSync(join(cached, ".."))], []);
    }
  }));

Deno.test("what npm and pip bring is not run before its hash is the expected one", () =>
  inBox(async ({ folder, cached, script, start }) => {
    const mark = join(folder, "mark");
    const fake = `printf '#!/bin/sh\\necho > "${mark}"; echo deno ${pinned}\\n' > "$at" && chmod 755 "$at"`;
    await script("npm", `mkdir -p node_modules/@deno/any; at=node_modules/@deno/any/deno; ${fake}`);
    await script(
      "python3",
      `while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; at=$2/bin/deno; ${fake}`,
    );
    const { code, stderr } = await start(["--version"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /the hash of what came is [0-9a-f]{64}, [0-9a-f]{64} is needed\nerror: Cannot install/,
    );
    assertEquals([await exists(mark), await exists(cached)], [false, false]);
  }));

Deno.test("a cache that is another's, that others may write to, or that no home leads to is not used", () =>
  inBox(async ({ folder, script, start }) => {
    const mark = join(folder, "mark");
    const planted = async (at: string) => {
      await Deno.mkdir(join(at, "softcot", `deno-${pinned}`), { recursive: true });
      const path = join(at, "softcot", `deno-${pinned}`, "deno");
      await Deno.writeTextFile(path, `#!/bin/sh\necho > "${mark}"; echo deno ${pinned}\n`);
      await Deno.chmod(path, 0o755);
      return path;
    };
    const refused = async (env: Record<string, string>, told: string) => {
      const { code, stderr } = await start(["--version"], env);
      assertEquals([code, await exists(mark)], [1, false], stderr);
      assertStringIncludes(stderr, told);
    };
    await script("npm", "exit 1");
    await planted(join(folder, "cache"));
    for (const at of ["cache", "cache/softcot", `cache/softcot/deno-${pinned}`]) {
      for (const mode of [0o777, 0o757]) {
        await Deno.chmod(join(folder, at), mode);
        await refused({}, `error: Cannot use ${join(folder, at)}: it is another user's, or others may write`);
      }
      await Deno.chmod(join(folder, at), 0o755);
    }
    const binary = join(folder, "cache", "softcot", `deno-${pinned}`, "deno");
    if (Deno.uid() === 0) {
      await Deno.chown(binary, 65534, 65534);
      await refused({}, `error: Cannot use ${binary}: it is another user's`);
    }
    // Without a home, what lies in a shared or in the working folder is nobody's.
    await planted(join(root, ".cache-of-test"));
    try {
      for (const home of ["", ".cache-of-test"]) {
        await refused({ HOME: home, XDG_CACHE_HOME: home }, "neither HOME nor XDG_CACHE_HOME names one");
      }
    } finally {
      await Deno.remove(join(root, ".cache-of-test"), { recursive: true });
    }
  }));

Deno.test("softcot deno asks no desktop, whatever the environment names", () =>
  inBox(async ({ folder, start }) => {
    await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
    const env = { XDG_RUNTIME_DIR: folder, WAYLAND_DISPLAY: join(folder, "wayland-0") };
    const shown =
      'for (const name of ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY"]) console.log(Deno.env.get(name))';
    assertEquals((await start(["deno", "eval", shown], env)).stdout, "/dev/null\nundefined\n");
  }));

async function where(tool: string): Promise<string> {
  const { stdout } = await finish("/bin/sh", ["-c", `command -v ${tool}`]);
  return stdout.trim();
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
