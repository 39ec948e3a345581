import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** From the room that knows nothing of the others to the one that may know all. */
const rooms = ["gpu", "model", "eval", "rl", "cli"];
const root = new URL("../", import.meta.url);

interface Module {
  specifier: string;
  error?: string;
  dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
}

Deno.test("imports go from cli to rl to eval to model to gpu, never back", async () => {
  const files = rooms.flatMap((room) => sources(room));
  const modules = await graphOf(files);
  const seen = new Map(modules.map((module) => [within(module.specifier), module]));
  assertEquals(files.filter((file) => !seen.has(file)), [], "files that are missing from the graph");
  assertEquals(modules.filter(({ error }) => error).map(({ specifier, error }) => [specifier, error]), []);

  const imports = files.flatMap((file) => importsOf(seen.get(file)!).map((target) => [file, target]));
  assert(imports.some(([file, target]) => file === "cli/errors.ts" && target === "gpu/errors.ts"));
  assertEquals(
    imports.filter(([file, target]) => !isAllowed(file, target)).map((pair) => pair.join(" -> ")),
    [],
  );
});

Deno.test("the rule for imports tells a forbidden one", () => {
  assert(isAllowed("cli/train/train.ts", "rl/train.ts"));
  assert(isAllowed("gpu/ops/matmul.ts", "gpu/device.ts"));
  assert(!isAllowed("gpu/device.ts", "model/config.ts"));
  assert(!isAllowed("eval/task.ts", "rl/train.ts"));
  assert(!isAllowed("model/config.ts", "tests/reference/matmul.ts"));
});

/** A room imports from itself and from the rooms before it; cli also reads the version in deno.json. */
function isAllowed(file: string, target: string): boolean {
  const [from, to] = [file, target].map((path) => rooms.indexOf(path.split("/")[0]));
  return to >= 0 && to <= from || from === rooms.indexOf("cli") && target === "deno.json";
}

/** What a module names by a relative path, as paths from the root; packages are no business of this test. */
function importsOf({ dependencies = [] }: Module): string[] {
  return dependencies.filter(({ specifier }) => /^\.{0,2}\/|^file:/.test(specifier))
    .flatMap(({ code, type }) => [code?.specifier, type?.specifier])
    .flatMap((specifier) => specifier ? [within(specifier)] : []);
}

async function graphOf(files: string[]): Promise<Module[]> {
  const folder = await Deno.makeTempDir();
  try {
    const entry = join(folder, "all.ts");
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import ${JSON.stringify(new URL(file, root))};`).join("\n"),
    );
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

function sources(folder: string): string[] {
  if (!existsSync(new URL(`${folder}/`, root))) return [];
  return [...Deno.readDirSync(new URL(`${folder}/`, root))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory ? sources(path) : path.endsWith(".ts") ? [path] : [];
  }).sort();
}

function within(specifier: string): string {
  return specifier.startsWith(root.href) ? decodeURIComponent(specifier.slice(root.href.length)) : specifier;
}
