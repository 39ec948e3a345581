import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PINNED_DENO } from "../cli/facts/pinned_deno.ts";
import { UserError } from "../gpu/errors.ts";
import { isFile } from "../model/files/on_disk.ts";
import { sha256Of } from "../model/files/sha256_of.ts";
import { deno } from "./deno_command.ts";
import type { Target } from "./targets.ts";

/**
 * The pinned Deno for a machine: the one that runs this where it is that, else the one of npm, which Deno fetches. Its
 * hash is the one that ./softcot knows.
 * @throws UserError where it cannot be had, or has another hash
 */
export async function findDeno(target: Target): Promise<string> {
  const expected = expectedHash(target.machine);
  const here = Deno.execPath();
  if (Deno.build.target === target.triple && sha256Of([here]) === expected) return here;
  const path = await fetchDeno(target.denoPackage);
  const found = sha256Of([path]);
  if (found === expected) return path;
  throw new UserError(`Cannot use ${path}: its SHA-256 is ${found}, ${expected} is needed`);
}

/** The hash that the launcher of the checkout asks for. */
function expectedHash(machine: string): string {
  const launcher = Deno.readTextFileSync(fileURLToPath(new URL("../softcot", import.meta.url)));
  const hash = new RegExp(`^ +Linux-${machine}\\b.*echo ([0-9a-f]{64}) ;;$`, "m").exec(launcher)?.[1];
  if (hash === undefined) throw new Error(`Cannot find the hash of Deno for ${machine} in ./softcot`);
  return hash;
}

async function fetchDeno(name: string): Promise<string> {
  const specifier = `npm:${name}@${PINNED_DENO}`;
  const folder = Deno.makeTempDirSync();
  try {
    await deno(["cache", "--quiet", specifier], { cwd: folder });
    const { npmPackages } = JSON.parse(await deno(["info", "--json", specifier], { cwd: folder }));
    const { localPath } = npmPackages[`${name}@${PINNED_DENO}`];
    const path = join(localPath, "deno");
    if (isFile(path)) return path;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  throw new UserError(`Cannot get Deno ${PINNED_DENO} from ${name}: the package holds none`);
}
