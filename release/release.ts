/**
 * `deno task release`: everything that a release needs, in `dist/`: checks, the files for servers, their checksums, and notes from
 * CHANGELOG.md. What is left to people is told at its end.
 *
 * @module
 */
import { Command } from "@cliffy/command";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { gitState } from "../cli/facts/git_state.ts";
import { reportError } from "../cli/terminal/report_error.ts";
import { UserError } from "../gpu/errors.ts";
import { namesIn } from "../model/files/on_disk.ts";
import { sha256Of } from "../model/files/sha256_of.ts";
import { writeWhole } from "../model/files/write_whole.ts";
import { buildBinaries } from "./binary.ts";
import { releaseNotes } from "./changelog.ts";
import { refuseTag } from "./refuse_tag.ts";
import { shellScripts } from "./shell_scripts.ts";
import { TARGETS } from "./targets.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");
/** How the folder begins in which a release is made; what is left of one that was killed is removed by the next. */
const WORK = ".release-";

/** Makes the release of the version in deno.json: in a folder of its own within dist, whose files are moved there when all of them are right. */
async function release({ checks }: { checks: boolean }): Promise<void> {
  const { version } = project;
  const notes = releaseNotes(Deno.readTextFileSync(join(root, "CHANGELOG.md")), version);
  const commit = cleanCommit(version);
  refuseTag(root, version);
  Deno.mkdirSync(dist, { recursive: true });
  for (const name of namesIn(dist).filter((name) => name.startsWith(WORK))) {
    Deno.removeSync(join(dist, name), { recursive: true });
  }
  if (namesIn(dist).length > 0) {
    throw new UserError(
      `Cannot release ${version}: ${dist} holds files`,
      "they may be of another version: remove them",
    );
  }
  await step("shellcheck", "shellcheck", shellScripts());
  if (checks) await step("deno task ok", Deno.execPath(), ["task", "ok"]);
  const work = Deno.makeTempDirSync({ dir: dist, prefix: WORK });
  try {
    const files = await buildBinaries({ out: work });
    await step("two builds", Deno.execPath(), ["run", "-A", "tests/binary/two_builds.ts", "--built", work]);
    await tryFile(files);
    const names = files.map((path) => `${sha256Of([path])}  ${basename(path)}\n`);
    writeWhole(join(work, "SHA256SUMS"), names.join(""));
    writeWhole(join(work, "NOTES.md"), `# softcot ${version}\n\nCommit ${commit}.\n\n${notes}\n`);
    for (const name of namesIn(work)) Deno.renameSync(join(work, name), join(dist, name));
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
  console.log(`softcot ${version} is in ${dist}: ${namesIn(dist).sort().join(", ")}.
Left to do: git tag -a v${version} -F dist/NOTES.md ${commit}; push the tag; publish the files with the notes;
then begin the next version: its number in deno.json, and a section "(unreleased)" in CHANGELOG.md.`);
}

/** The commit of a checkout without changes. */
function cleanCommit(version: string): string {
  const state = gitState();
  if (state && !state.modified) return state.commit;
  throw new UserError(
    `Cannot release ${version}: ${state ? "files are changed since the commit" : "this is no checkout"}`,
    "a release is of a commit: commit the changes first",
  );
}

/** Tries the file of this machine, where there is one: from odd places, and in all tests of the commands. */
async function tryFile(files: readonly string[]): Promise<void> {
  const here = TARGETS.find(({ triple }) => triple === Deno.build.target);
  const file = files.find((path) => here && path.endsWith(here.name));
  if (!file) return;
  await step("odd places", Deno.execPath(), ["run", "-A", "tests/binary/odd_places.ts", file]);
  await step("tests of the commands", Deno.execPath(), ["test", "-A", "--no-check", "tests/cli/"], {
    SOFTCOT_BINARY: file,
  });
}

async function step(
  name: string,
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  console.error(`release: ${name}`);
  const { code } = await started(program, { args, cwd: root, env }).status;
  if (code !== 0) throw new UserError(`Cannot release: ${name} ended with status ${code}`);
}

function started(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      `Cannot release: ${program} is not here, it is needed`,
      "install it, and begin again",
    );
  }
}

const command = new Command()
  .name("deno task release")
  .description("Makes a release of the version in deno.json: checks, files, checksums, notes.")
  .option("--no-checks", "Where deno task ok has just passed on this commit")
  .throwErrors()
  .action(({ checks }: { checks?: boolean }) => release({ checks: checks !== false }));

if (import.meta.main) {
  try {
    await command.parse(Deno.args);
  } catch (error) {
    Deno.exit(reportError(error));
  }
}
