/** One file of a folder: a launcher in sh, and behind it the folder as a compressed archive. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import project from "../deno.json" with { type: "json" };
import { UserError } from "../gpu/errors.ts";
import { namesIn } from "../model/files/on_disk.ts";
import { sha256Of } from "../model/files/sha256_of.ts";
import type { Target } from "./targets.ts";

/** As many digits as an offset may have: so the launcher's length does not depend on it. */
const OFFSET_DIGITS = 7;

/**
 * Makes one file of a folder with `deno`, `softcot`, which starts it, and the bundled program. The same folder gives
 * the same bytes.
 */
export async function selfExtracting(folder: string, { machine }: Target): Promise<Uint8Array[]> {
  const names = namesIn(folder).sort();
  const payload = gzipSync(await archiveOf(folder, names), { level: 9 });
  const sha256 = sha256Of([payload]);
  const values: Record<string, string | number> = {
    VERSION: project.version,
    MACHINE: machine,
    ID: `softcot-${project.version}-${sha256.slice(0, 12)}`,
    FILES: names.length,
    SIZE: names.reduce((sum, name) => sum + Deno.statSync(join(folder, name)).size, 0),
    BYTES: payload.length,
    SHA256: sha256,
    OFFSET: "0".repeat(OFFSET_DIGITS),
  };
  const offset = launcherOf(values).length + 1;
  values.OFFSET = String(offset).padEnd(OFFSET_DIGITS);
  return [launcherOf(values), payload];
}

function launcherOf(values: Record<string, string | number>): Uint8Array {
  const template = Deno.readTextFileSync(fileURLToPath(new URL("launcher.sh", import.meta.url)));
  return new TextEncoder().encode(template.replace(/@([A-Z0-9]+)@/g, (_, name) => String(values[name])));
}

/** A tar archive in which nothing tells who made it, where, and when. */
async function archiveOf(folder: string, names: readonly string[]): Promise<Uint8Array> {
  const nobody = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=u=rwX,go=rX"];
  const args = ["--create", "--format=ustar", ...nobody, "--directory", folder, ...names];
  const { success, stdout, stderr } = await new Deno.Command("tar", { args }).output();
  if (success) return stdout;
  const why = new TextDecoder().decode(stderr).trim();
  throw new UserError(`Cannot make an archive of ${folder}: tar says ${why}`, "GNU tar is needed");
}
