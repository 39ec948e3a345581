import { resolve } from "node:path";
import { gitState } from "../cli/facts/git_state.ts";
import { startFlags } from "../cli/permissions/start_flags.ts";
import { PINNED_DENO } from "../cli/facts/pinned_deno.ts";
import { UserError } from "../gpu/errors.ts";
import { BUILD_FILE } from "../cli/facts/own_build.ts";
import { LICENSES_FILE } from "../cli/licenses/gather_licenses.ts";
import { PAGE_FILE } from "../cli/page/own_page.ts";
import { RENDERER_FILES } from "../cli/report/renderer_files.ts";
import { deno } from "./deno_command.ts";
import type { Target } from "./targets.ts";

/**
 * Makes one file of a bundled program by `deno compile`: Deno's runtime for compiled programs with the program inside,
 * which unpacks nothing. The runtime is that of DENORT_BIN, else the one that Deno downloads.
 *
 * @param path where the file is to be
 * @param workers files of the bundle that no import leads to
 * @throws UserError where there is no runtime of the pinned version
 */
export async function compileApp(
  folder: string,
  workers: readonly string[],
  target: Target,
  path: string,
): Promise<void> {
  const included = [...workers, BUILD_FILE, LICENSES_FILE, PAGE_FILE, ...Object.keys(RENDERER_FILES)].flatMap(
    (name) => ["--include", name],
  );
  const allowed = [...startFlags(), "--no-prompt", "--no-config", "--no-check"];
  const args = [
    "compile",
    "--quiet",
    ...allowed,
    "--target",
    target.triple,
    ...included,
    "--output",
    resolve(path),
    "main.js",
  ];
  try {
    await deno(args, { cwd: folder });
  } catch (error) {
    const hint =
      `name a denort of Deno ${PINNED_DENO} for ${target.triple} with DENORT_BIN, or let Deno download it`;
    // The causes; the stack that follows is Deno's own.
    const causes = (error as Error).message.split(/\n+Stack backtrace/)[0].replace(/\s*\n\s*/g, " ");
    throw new UserError(`Cannot compile: ${causes}`, hint);
  }
  if (Deno.build.target === target.triple) await checkCompiled(path);
}

/** A runtime of another version, or one that is none, makes a file that is something else. */
async function checkCompiled(path: string): Promise<void> {
  const { stdout } = await new Deno.Command(path, { args: ["version", "--json"] }).output();
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(new TextDecoder().decode(stdout));
  } catch {
    throw foreign("what it makes does not start as softcot");
  }
  if (found.deno !== PINNED_DENO) throw foreign(`it is one of Deno ${found.deno}`);
  if (found.commit !== gitState()?.commit) {
    throw foreign(`what it makes is of another commit, ${found.commit}`);
  }
}

const foreign = (what: string) =>
  new UserError(`Cannot compile with this denort: ${what}, one of Deno ${PINNED_DENO} is needed`);
