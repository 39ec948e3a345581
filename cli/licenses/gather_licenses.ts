import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { UserError } from "../../gpu/errors.ts";
import { namesIn } from "../../model/files/on_disk.ts";
import { PINNED_DENO } from "../facts/pinned_deno.ts";
import { type PackageFile, standardLicense } from "./standard_license.ts";
import denoLicense from "./deno_license.txt" with { type: "text" };

/** The name under which a built copy keeps the text, beside its code. */
export const LICENSES_FILE = "licenses.txt";

interface Package {
  name: string;
  version: string;
  dependencies: string[];
  localPath: string;
}

/** What `deno info --json` tells. */
interface ModuleGraph {
  modules: { npmPackage?: string }[];
  npmPackages: Record<string, Package>;
}

/**
 * The licences of softcot, of the packages that the program and its page import, and of Deno, as one text. To be called in a
 * checkout; the packages' texts are read where Deno keeps the packages.
 * @throws UserError where Deno cannot tell which packages they are
 */
export async function gatherLicenses(): Promise<string> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const graphs = [await moduleGraph(root, "cli/main.ts"), await moduleGraph(root, "web/main.tsx")];
  const own = Deno.readTextFileSync(join(root, "LICENSE"));
  const entries = [
    entry(`softcot ${project.version}`, own),
    ...packagesIn(graphs).map((each) => entry(`${each.name} ${each.version}`, licenseOf(each, own))),
    entry(`Deno ${PINNED_DENO}`, `${denoLicense}\n${WITHIN_DENO}`),
  ];
  return entries.join("\n");
}

const WITHIN_DENO =
  `Deno is built of V8 (BSD-3-Clause, https://github.com/v8/v8), of ICU (Unicode-3.0, https://github.com/unicode-org/icu),
of Rust's libraries and of others, each under a licence of its own; its sources name them: https://github.com/denoland/deno`;

const entry = (name: string, text: string) => `${name}\n${"=".repeat(name.length)}\n\n${text.trim()}\n`;

/** The packages that are imported, and those that these depend on, by name. */
function packagesIn(graphs: readonly ModuleGraph[]): Package[] {
  const found = new Map<string, Package>();
  const visit = ({ npmPackages }: ModuleGraph, id: string) => {
    if (found.has(id)) return;
    found.set(id, npmPackages[id]);
    for (const other of npmPackages[id].dependencies) visit({ modules: [], npmPackages }, other);
  };
  for (const graph of graphs) {
    for (const { npmPackage } of graph.modules) if (npmPackage) visit(graph, npmPackage);
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

function licenseOf({ name, version, localPath }: Package, mit: string): string {
  const file = namesIn(localPath).sort().find((name) => /^(licen[cs]e|copying)\b/i.test(name));
  if (file) return Deno.readTextFileSync(join(localPath, file));
  const told: PackageFile = JSON.parse(Deno.readTextFileSync(join(localPath, "package.json")));
  return standardLicense({ ...told, name, version }, mit);
}

async function moduleGraph(root: string, entry: string): Promise<ModuleGraph> {
  const args = ["info", "--json", "--config", join(root, "deno.json"), join(root, entry)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const told = new TextDecoder();
  if (success) return JSON.parse(told.decode(stdout));
  throw new UserError(`Cannot list the packages: deno info says ${told.decode(stderr).trim()}`);
}
