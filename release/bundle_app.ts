/** The program as a folder of few files: one for the entry, one for each worker and the process of own code, and chunks that these load when needed. */
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import project from "../deno.json" with { type: "json" };
import { gitState } from "../cli/facts/git_state.ts";
import { BUILD_FILE, type OwnBuild } from "../cli/facts/own_build.ts";
import { gatherLicenses, LICENSES_FILE } from "../cli/licenses/gather_licenses.ts";
import { makePage } from "../cli/page/make_page.ts";
import { PAGE_FILE } from "../cli/page/own_page.ts";
import { RENDERER_FILES } from "../cli/report/renderer_files.ts";
import { deno } from "./deno_command.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** How the sources name a file that is started by its address, a worker or own code's process. Bundlers do not follow it: each is an entry of its own. */
const WORKER = /new URL\("(\.\/[\w-]+)\.ts", import\.meta\.url\)/g;
/** The same after bundling. */
const BUNDLED_WORKER = /(new URL\("\.\/[\w-]+)\.ts(",\s*import\.meta\.url\))/g;

/**
 * Bundles the program into a new folder, which then holds main.js with all that it loads, the page of view, what renders pictures, the text of
 * the licences, and what this build was made of. The same source gives the same bytes.
 * @returns names of the files of workers, which are found by address and by no import
 */
export async function bundleApp(folder: string): Promise<string[]> {
  const { sources, workers } = await programSources();
  const copy = Deno.makeTempDirSync({ prefix: "softcot-bundle-" });
  try {
    copySources(sources, copy);
    const entries = [
      writeEntry(copy, "main.ts", 'import { runProgram } from "../cli/main.ts";\nawait runProgram();\n'),
      ...workers.map((source) => writeEntry(copy, basename(source), `import "../${source}";\n`)),
    ];
    // Not minified: that inlines a `using` declaration whose name occurs once more, and then nothing is disposed of.
    const how = ["--quiet", "--no-check", "--node-modules-dir=auto", "--code-splitting"];
    await deno(["bundle", ...how, "--outdir", resolve(folder), ...entries], { cwd: copy });
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
  const names = workers.map((source) => basename(source).replace(/\.ts$/, ".js"));
  nameWorkers(folder, names);
  const build: OwnBuild = { version: project.version, ...gitState() };
  Deno.writeTextFileSync(join(folder, BUILD_FILE), JSON.stringify(build));
  Deno.writeTextFileSync(join(folder, LICENSES_FILE), await gatherLicenses());
  Deno.writeTextFileSync(join(folder, PAGE_FILE), await makePage(root));
  for (const [name, file] of Object.entries(RENDERER_FILES)) {
    Deno.copyFileSync(fileURLToPath(import.meta.resolve(file)), join(folder, name));
  }
  return names;
}

/**
 * Copies the program's files into a folder, for packages to be laid beside them there: names of chunks follow from paths, which so are
 * the same wherever the checkout and the cache of packages lie.
 */
function copySources(sources: readonly string[], copy: string): void {
  const { links } = project;
  const configs = ["deno.json", "deno.lock", ...links.map((link) => join(link, "deno.json"))];
  for (const source of new Set([...sources, ...configs])) {
    Deno.mkdirSync(join(copy, dirname(source)), { recursive: true });
    Deno.copyFileSync(join(root, source), join(copy, source));
  }
}

/** An entry in a folder of all entries: so the bundled files lie in one folder, too. */
function writeEntry(copy: string, name: string, text: string): string {
  Deno.mkdirSync(join(copy, "entries"), { recursive: true });
  Deno.writeTextFileSync(join(copy, "entries", name), text);
  return `entries/${name}`;
}

/** The files of the program, and which of them are workers that it starts: paths from the root. */
async function programSources(): Promise<{ sources: string[]; workers: string[] }> {
  const sources = new Set<string>();
  const workers = new Set<string>();
  for (const open = ["cli/main.ts"]; open.length > 0;) {
    for (const source of await sourcesOf(open.pop()!)) {
      if (sources.has(source)) continue;
      sources.add(source);
      const text = source.endsWith(".ts") ? Deno.readTextFileSync(join(root, source)) : "";
      for (const [, path] of text.matchAll(WORKER)) {
        const worker = join(dirname(source), `${path}.ts`);
        workers.add(worker);
        open.push(worker);
      }
    }
  }
  return { sources: [...sources].sort(), workers: [...workers].sort() };
}

/** The project's own files that an entry imports, itself among them. */
async function sourcesOf(entry: string): Promise<string[]> {
  const base = pathToFileURL(root).href;
  const { modules } = JSON.parse(
    await deno(["info", "--json", "--config", join(root, "deno.json"), join(root, entry)]),
  ) as { modules: { specifier: string }[] };
  return modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith(base))
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
