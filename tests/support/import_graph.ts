import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);

/** What each file imports, types included: paths from the root. Packages are left out. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

interface Module {
  specifier: string;
  error?: string;
  dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
}

/** All TypeScript files of a folder, or the one file of that name, as paths from the root; throws without such a folder. */
export function sourcesOf(path: string): string[] {
  if (/\.tsx?$/.test(path)) return [path];
  return [...Deno.readDirSync(new URL(`${path}/`, root))].flatMap((entry) => {
    const inner = `${path}/${entry.name}`;
    return entry.isDirectory ? sourcesOf(inner) : /\.tsx?$/.test(inner) ? [inner] : [];
  }).sort();
}

/** The imports of these files as Deno resolves them; fails where a file or one of its imports cannot be read. */
export async function importGraph(files: readonly string[]): Promise<ImportGraph> {
  const modules = await modulesOf(files);
  assertEquals(modules.filter(({ error }) => error).map(({ specifier, error }) => [specifier, error]), []);
  const graph = new Map(modules.map((module) => [within(module.specifier), importsOf(module)]));
  assertEquals(files.filter((file) => !graph.has(file)), [], "files that are missing from the graph");
  return graph;
}

/** Circles of a graph: of each group of files that reach one another, one way round. */
export function circlesOf(graph: ImportGraph): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file].join(" -> "));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    graph.get(file)?.forEach(visit);
    path.pop();
    done.add(file);
  };
  [...graph.keys()].forEach(visit);
  return circles;
}

/** What a module names by a relative path. */
function importsOf({ dependencies = [] }: Module): string[] {
  const own = dependencies.filter(({ specifier }) => /^\.{0,2}\/|^file:/.test(specifier));
  const named = own.flatMap(({ code, type }) => [code?.specifier, type?.specifier]);
  return [...new Set(named.flatMap((specifier) => specifier ? [within(specifier)] : []))];
}

async function modulesOf(files: readonly string[]): Promise<Module[]> {
  const folder = await Deno.makeTempDir();
  try {
    const entry = join(folder, "all.ts");
    const lines = files.map((file) => `import ${JSON.stringify(new URL(file, root))};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--config", fileURLToPath(new URL("deno.json", root)), entry],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
    return modules.filter(({ specifier }) => specifier !== String(pathToFileURL(entry)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function within(specifier: string): string {
  return specifier.startsWith(root.href) ? decodeURIComponent(specifier.slice(root.href.length)) : specifier;
}
