/**
 * `deno task check:jsr [DIR [TESTS...]]`: type-checks everything and runs the tests of cli/, or of those files and folders alone,
 * against the real JSR packages instead of their stand-ins. DIR holds checkouts of their repositories (or is one); without it, JSR itself
 * is asked. Proves that the code is written against the real API, and the stand-ins against the same.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

if (import.meta.main) Deno.exit(await checkJsr(...Deno.args));

async function checkJsr(directory?: string, ...tests: string[]): Promise<number> {
  const links = directory === undefined ? [] : findCheckouts(resolve(directory));
  if (directory !== undefined && links.length === 0) {
    console.error(
      `error: Cannot find packages in ${directory}: there is no deno.json, neither there nor one level below`,
    );
    return 1;
  }
  // In the project: what anybody may write to, or find first, is no place for what decides which code is run.
  const folder = await Deno.makeTempDir({ dir: root, prefix: ".check-jsr-" });
  try {
    const config = join(folder, "deno.json");
    await Deno.writeTextFile(config, JSON.stringify(await realConfig(links), null, 2));
    console.error(`Using ${links.length ? links.join(", ") : "JSR"}`);
    return await deno(config, ["check", ...sources("cli"), ...sources("tests")]) ||
      await deno(config, ["test", "-A", ...tests.length > 0 ? tests : ["tests/cli"]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The project's own configuration, with the stand-ins replaced. */
async function realConfig(links: string[]): Promise<Record<string, unknown>> {
  const { imports, compilerOptions, permissions, unstable } = JSON.parse(
    await Deno.readTextFile(join(root, "deno.json")),
  );
  return { imports, compilerOptions, permissions, unstable, links, lock: false };
}

/** Folders with a deno.json: the directory itself, else those in it. */
function findCheckouts(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const folders = [directory, ...[...Deno.readDirSync(directory)].map(({ name }) => join(directory, name))];
  const found = folders.filter((folder) => existsSync(join(folder, "deno.json")));
  return found[0] === directory ? [directory] : found;
}

function sources(folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? sources(`${folder}/${name}`) : name.endsWith(".ts") ? [`${folder}/${name}`] : []
  );
}

async function deno(config: string, [verb, ...rest]: string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [verb, `--config=${config}`, ...rest],
    cwd: root,
    // Tests that start the program as a process hand the configuration on to it.
    env: { SOFTCOT_TEST_CONFIG: config },
  }).spawn().status;
  return code;
}
