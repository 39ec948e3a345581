import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownPlace } from "../cache/own_place.ts";
import { textBeside } from "../facts/own_build.ts";
import { makePage } from "./make_page.ts";

/** The name under which a built copy keeps the page, beside its code. */
export const PAGE_FILE = "page.html";

let page: Promise<string> | undefined;

/**
 * The page of view and report. A built copy has it beside its code; in a checkout it is made on first use, and kept in the user's cache by a
 * hash of its sources, of which only the newest stays.
 */
export function ownPage(): Promise<string> {
  return page ??= Promise.resolve(textBeside(PAGE_FILE) ?? madeOrKept());
}

async function madeOrKept(): Promise<string> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folder = ownPlace();
  const name = `page-${hashOf(root)}.html`;
  const kept = folder && textAt(join(folder, name));
  if (kept) return kept;
  const made = await makePage(root, folder);
  if (folder) keep(folder, name, made);
  return made;
}

function textAt(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** Of all that the page is made of. */
function hashOf(root: string): string {
  const hash = createHash("sha256");
  for (const path of ["deno.json", "deno.lock", "cli/page/make_page.ts", ...filesBelow(root, "web")]) {
    hash.update(`${path}\0`).update(Deno.readFileSync(join(root, path))).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** Files of a folder and of those in it, as paths from the root. */
function filesBelow(root: string, folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(root, `${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

/** Beside it and renamed, for others who make it now. What cannot be kept is made again the next time. */
function keep(folder: string, name: string, text: string): void {
  try {
    const path = join(folder, name);
    const beside = `${path}.${Deno.pid}.tmp`;
    Deno.writeTextFileSync(beside, text, { createNew: true, mode: 0o600 });
    Deno.renameSync(beside, path);
    for (const { name: other } of Deno.readDirSync(folder)) {
      if (/^page-[0-9a-f]{16}\.html$/.test(other) && other !== name) Deno.removeSync(join(folder, other));
    }
  } catch { /* No place of one's own, or a full one. */ }
}
