/** Nothing is installed, and sudo is not used, without a yes: asked at a terminal, others than root answer first. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { programWords, runSoftcot } from "../cli/support/run_softcot.ts";
import { inFolder } from "../support/folders.ts";
import { root } from "../support/places.ts";

/** A world without a driver, where apt-get, sudo and npm note that they were started. */
interface Box {
  env: Record<string, string>;
  said(): string;
}

async function inBox(work: (box: Box) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    for (const name of ["bin", "share", "home"]) Deno.mkdirSync(`${folder}/${name}`);
    for (const tool of ["sh", "env", "true"]) Deno.symlinkSync(`/bin/${tool}`, `${folder}/bin/${tool}`);
    for (const name of ["apt-get", "sudo", "npm", "pip", "python3", "curl", "wget"]) {
      const lines = `#!/bin/sh\necho "${name} $*" >>"${folder}/said"\n[ "$1" = -v ]\n`;
      Deno.writeTextFileSync(`${folder}/bin/${name}`, lines, { mode: 0o755 });
    }
    const home = Deno.env.get("HOME");
    await work({
      env: {
        ...{ PATH: `${folder}/bin`, HOME: `${folder}/home`, NO_COLOR: "" },
        ...{ XDG_CONFIG_DIRS: `${folder}/share`, XDG_DATA_DIRS: `${folder}/share` },
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/deno`,
      },
      said() {
        try {
          return Deno.readTextFileSync(`${folder}/said`);
        } catch {
          return "";
        }
      },
    });
  });
}

const works = (program: string, ...args: string[]) => {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
};

Deno.test("commands that open no device start nothing, whoever runs them, where there is no driver", () =>
  inBox(async ({ env, said }) => {
    for (
      const args of [["--help"], ["train", "--help"], ["--version"], ["settings"], [
        "eval",
        "check",
        "1",
        "1",
      ]]
        .concat([["data", "list"], ["model", "list"], ["version"], ["cache", "list"]])
    ) {
      const { code, stderr } = await runSoftcot(args, env);
      assertEquals([code, said()], [0, ""], `${args}: ${stderr}`);
    }
  }));

/** A terminal of script's own, and a user without a name who is not root. */
const canAsk = Deno.build.os === "linux" && works("/usr/bin/script", "-qec", "true", "/dev/null") &&
  (Deno.uid() !== 0 || works("/usr/bin/unshare", "-U", "true"));

Deno.test({
  name: "at a terminal the question comes first: sudo is used after a yes, and after nothing else",
  ignore: !canAsk,
  fn: () =>
    inBox(async ({ env, said }) => {
      const quoted = [...(Deno.uid() === 0 ? ["/usr/bin/unshare", "-U"] : []), ...programWords()]
        .map((word) => `'${word}'`).join(" ");
      const answer = async (text: string) => {
        const child = new Deno.Command("/usr/bin/script", {
          args: ["-qec", `${quoted} model info --json`, "/dev/null"],
          ...{ env: { ...env, TERM: "dumb", SHELL: "/bin/sh" }, cwd: root },
          ...{ stdin: "piped", stdout: "piped", stderr: "null" },
        }).spawn();
        const writer = child.stdin.getWriter();
        // The terminal keeps the line until it is asked for.
        await writer.write(new TextEncoder().encode(text));
        const { stdout } = await child.output();
        await writer.close().catch(() => {});
        return new TextDecoder().decode(stdout);
      };
      for (const no of ["\n", "n\n", "no\n", "yess\n"]) {
        assertMatch(await answer(no), /install mesa-vulkan-drivers libvulkan1 with sudo\? \[y\/N\]/);
        assertEquals(said(), "", JSON.stringify(no));
      }
      assertStringIncludes(await answer("y\n"), "with sudo? [y/N]");
      assertMatch(said(), /^sudo -v\nsudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -y /);
    }),
});
