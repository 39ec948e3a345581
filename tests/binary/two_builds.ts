/**
 * Builds the files twice, the second time from a clone in another folder, and compares their bytes:
 * `./softcot deno run -A tests/binary/two_builds.ts [--built FOLDER] [TARGET...]`. The checkout must have no changes. `--built` has those
 * that were built before from this commit, which are compared with the clone's.
 *
 * @module
 */
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gitState } from "../../cli/facts/git_state.ts";
import { buildBinaries } from "../../release/binary.ts";
import { namesIn } from "../../model/files/on_disk.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import { root } from "../support/places.ts";

if (gitState()?.modified !== false) {
  console.error(
    "error: Cannot compare builds: this is no checkout, or it has changes that a clone would not have",
  );
  Deno.exit(1);
}
const { values: { built }, positionals } = parseArgs({
  options: { built: { type: "string" } },
  allowPositionals: true,
});
const targets = positionals.length > 0 ? positionals : undefined;
const folder = Deno.makeTempDirSync();
try {
  const clone = join(folder, "a clone");
  await run("git", ["clone", "--quiet", root, clone]);
  const here = built
    ? namesIn(built).filter((name) => /^softcot-.*-linux-\w+$/.test(name)).map((name) => join(built, name))
    : await buildBinaries({ targets, out: join(folder, "here") });
  if (here.length === 0) throw new Error(`Cannot compare builds: ${built} holds none`);
  const names = (targets ?? []).flatMap((name) => ["--target", name]);
  await run(Deno.execPath(), ["task", "--quiet", "binary", "--out", join(folder, "there"), ...names], clone);
  let equal = true;
  for (const path of here) {
    const hashes = [path, join(folder, "there", basename(path))].map((each) => sha256Of([each]));
    equal &&= hashes[0] === hashes[1];
    console.log(
      `${basename(path)}  ${hashes[0] === hashes[1] ? "equal bytes" : "DIFFERENT"}  ${hashes.join(" ")}`,
    );
  }
  Deno.exitCode = equal ? 0 : 1;
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function run(program: string, args: string[], cwd?: string): Promise<void> {
  const { success } = await new Deno.Command(program, { args, cwd, stdout: "inherit", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}
