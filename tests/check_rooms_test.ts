import { assert, assertEquals } from "@std/assert";
import { circlesOf, importGraph, sourcesOf } from "./support/import_graph.ts";

/** From the room that knows nothing of the others to the one that may know all. */
const rooms = ["gpu", "model", "eval", "rl", "cli"];
/** What runs in the browser: it takes types from all rooms, and nothing that runs. */
const PAGE = "web";

Deno.test("imports go from cli to rl to eval to model to gpu, never back", async () => {
  const files = rooms.flatMap(sourcesOf);
  const graph = await importGraph(files);
  const imports = files.flatMap((file) => graph.get(file)!.map((target) => [file, target]));
  assert(imports.some(([file, target]) => file === "cli/main.ts" && target.startsWith("cli/train/")));
  assert(imports.some(([file, target]) => file.startsWith("cli/") && target === "gpu/errors.ts"));
  const forbidden = imports.filter(([file, target]) => !isAllowed(file, target));
  assertEquals(forbidden.map((pair) => pair.join(" -> ")), []);
});

Deno.test("the page takes types alone from the other rooms, and only cli imports it", async () => {
  const files = [...rooms, PAGE].flatMap(sourcesOf);
  const graph = await importGraph(files);
  const others = files.filter((file) => !file.startsWith(`${PAGE}/`) && !file.startsWith("cli/"));
  const asked = others.filter((file) => graph.get(file)!.some((target) => target.startsWith(`${PAGE}/`)));
  assertEquals(asked, []);
  const taken = sourcesOf(PAGE).flatMap((file) =>
    valuesFrom(Deno.readTextFileSync(file)).map((name) => [file, name])
  );
  const foreign = taken.filter(([, name]) => rooms.some((room) => name.includes(`../${room}/`)));
  assertEquals(foreign.map((pair) => pair.join(" -> ")), []);
});

Deno.test("the rule for the page tells an import of something that runs", () => {
  assertEquals(
    valuesFrom('import type { A } from "../../eval/a.ts";\nexport type { B } from "../b.ts";'),
    [],
  );
  assertEquals(valuesFrom('import { type A, b } from "../../eval/a.ts";\nexport * from "../b.ts";'), [
    "../../eval/a.ts",
    "../b.ts",
  ]);
  assertEquals(valuesFrom('await import("../../cli/c.ts");\nimport "./d.ts";'), ["./d.ts", "../../cli/c.ts"]);
});

Deno.test("no files import each other in a circle, types included", async () => {
  const files = [...rooms, PAGE, "mod.ts", "offline", "docs", "release", "tests"].flatMap(sourcesOf);
  // Programs of their own, with packages of their own.
  const own = files.filter((file) => !file.startsWith("tests/bench/peers/"));
  assertEquals(circlesOf(await importGraph(own)), []);
});

Deno.test("the rule for imports tells a forbidden one", () => {
  assert(isAllowed("cli/train/train.ts", "rl/train.ts"));
  assert(isAllowed("gpu/ops/matmul/matmul.ts", "gpu/kernel.ts"));
  assert(!isAllowed("gpu/kernel.ts", "model/transformer/config.ts"));
  assert(!isAllowed("eval/task.ts", "rl/train.ts"));
  assert(!isAllowed("model/transformer/config.ts", "tests/reference/matmul.ts"));
});

Deno.test("circles of any length are found, and diamonds are none", () => {
  const graph = (imports: Record<string, string[]>) => new Map(Object.entries(imports));
  assertEquals(circlesOf(graph({ top: ["left", "right"], left: ["base"], right: ["base"], base: [] })), []);
  assertEquals(circlesOf(graph({ a: ["b"], b: ["a"] })), ["a -> b -> a"]);
  assertEquals(circlesOf(graph({ self: ["self"] })), ["self -> self"]);
  assertEquals(circlesOf(graph({ start: ["a"], a: ["b"], b: ["c"], c: ["a"] })), ["a -> b -> c -> a"]);
});

/** What a file imports or exports from others that is not types alone. */
function valuesFrom(text: string): string[] {
  const forms = [
    /^\s*(?:import|export)\s(?!type\b)[^;"']*?from\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map(([, name]) => name));
}

/** A room imports from itself and from the rooms before it; cli also from the page, and the version in deno.json. */
function isAllowed(file: string, target: string): boolean {
  if (file.startsWith("cli/") && target.startsWith(`${PAGE}/`)) return true;
  const [from, to] = [file, target].map((path) => rooms.indexOf(path.split("/")[0]));
  return to >= 0 && to <= from || from === rooms.indexOf("cli") && target === "deno.json";
}
