import { assertEquals } from "@std/assert";
import { git } from "../../cli/facts/git.ts";
import { shellScripts } from "../../release/shell_scripts.ts";
import { root } from "../support/places.ts";

const checkout = git(root, "rev-parse", "--git-dir") !== undefined;

Deno.test({
  name: "shellcheck finds nothing in any shell script",
  ignore: !checkout || !hasShellcheck(),
  fn: async () => {
    const scripts = shellScripts();
    const known = [".ci/run", "release/launcher.sh", "release/start.sh", "softcot"];
    assertEquals(known.filter((name) => !scripts.includes(name)), []);
    const { stdout } = await new Deno.Command("shellcheck", { args: scripts, cwd: root }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
  },
});

function hasShellcheck(): boolean {
  try {
    return new Deno.Command("shellcheck", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
