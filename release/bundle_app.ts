/** The program as a folder of few files: one for the entry, one for each worker, and chunks that these load when needed. */
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import project from "../deno.json" with { type: "json" };
import { gitState } from "../cli/facts/git_state.ts";
import { BUILD_FILE, type OwnBuild } from "../cli/facts/own_build.ts";
import { gatherLicenses, LICENSES_FILE } from "../cli/licenses/gather_licenses.ts";
import { deno } from "./deno_command.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** How the sources start a worker. Bundlers do not follow it: each worker is an entry of its own. */
const WORKER = /new Worker\(\s*new URL\("([^"]+)\.ts", import\.meta\.url\)/g;
/** The same after bundling. */
const BUNDLED_WORKER = /(new URL\("\.\/[\w-]+)\.ts(",\s*import\.meta\.url\))/g;

/**
 * Bundles the program into a new folder, which then holds main.js with all that it loads, the text of the licences, and
 * what this build was made of. The same source gives the same bytes.
 * @returns names of the files of workers, which are found by address and by no import
 */
export async function bundleApp(folder: string): Promise<string[]> {
  const workers = await workersOf("cli/main.ts");
  // Entries in a folder of their own, so that all bundled files lie in one; in the checkout, since names of chunks follow
  // from paths relative to it.
  const entries = join(root, ".entries.tmp");
  Deno.mkdirSync(entries);
  try {
    const files = [
      writeEntry(entries, "main.ts", 'import { runProgram } from "../cli/main.ts";\nawait runProgram();\n'),
      ...workers.map((source) => writeEntry(entries, basename(source), `import "../${source}";\n`)),
    ];
    const outputs = ["--code-splitting", "--minify", "--outdir", folder, ...files];
    await deno(["bundle", "--quiet", "--no-check", "--config", join(root, "deno.json"), ...outputs]);
  } finally {
    Deno.removeSync(entries, { recursive: true });
  }
  const names = workers.map((source) => basename(source).replace(/\.ts$/, ".js"));
  nameWorkers(folder, names);
  const build: OwnBuild = { version: project.version, ...gitState() };
  Deno.writeTextFileSync(join(folder, BUILD_FILE), JSON.stringify(build));
  Deno.writeTextFileSync(join(folder, LICENSES_FILE), await gatherLicenses());
  return names;
}

function writeEntry(entries: string, name: string, text: string): string {
  const path = join(entries, name);
  Deno.writeTextFileSync(path, text);
  return path;
}

/** The workers that a file, or what it imports, or they themselves start: paths from the root. */
async function workersOf(entry: string): Promise<string[]> {
  const found = new Set<string>();
  for (const open = [entry]; open.length > 0;) {
    for (const source of await sourcesOf(open.pop()!)) {
      const text = Deno.readTextFileSync(join(root, source));
      for (const [, path] of text.matchAll(WORKER)) {
        const url = new URL(`${path}.ts`, pathToFileURL(join(root, source)));
        const worker = fileURLToPath(url).slice(root.length);
        if (!found.has(worker)) open.push(worker);
        found.add(worker);
      }
    }
  }
  return [...found].sort();
}

/** The project's own TypeScript files that an entry imports, itself among them. */
async function sourcesOf(entry: string): Promise<string[]> {
  const base = pathToFileURL(root).href;
  const { modules } = JSON.parse(
    await deno(["info", "--json", "--config", join(root, "deno.json"), join(root, entry)]),
  ) as { modules: { specifier: string }[] };
  return modules.map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith(base) && specifier.endsWith(".ts"))
    .map((specifier) => fileURLToPath(specifier).slice(root.length));
}

/** Makes the addresses of workers those of their bundled files. */
function nameWorkers(folder: string, workers: readonly string[]): void {
  const named = new Set<string>();
  for (const { name } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    const text = Deno.readTextFileSync(path);
    const renamed = text.replace(BUNDLED_WORKER, (_, start: string, end: string) => {
      named.add(`${start.slice(start.indexOf("./") + 2)}.js`);
      return `${start}.js${end}`;
    });
    if (renamed !== text) Deno.writeTextFileSync(path, renamed);
  }
  const missing = workers.filter((name) => !named.has(name));
  const foreign = [...named].filter((name) => !workers.includes(name));
  if (missing.length + foreign.length === 0) return;
  throw new Error(
    `Cannot bundle the workers: no bundled file starts ${missing.join(", ") || "-"}, and unknown ones are ${
      foreign.join(", ") || "-"
    }`,
  );
}
