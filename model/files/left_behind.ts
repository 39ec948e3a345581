/**
 * What a process writes beside a place holds the system's lock, which goes with the process: what nobody holds was left by one that was
 * killed, and is removed by the next that writes there.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { isTaken } from "./on_disk.ts";

/** A name beside a place that nobody can foresee, and {@link removeLeftBehind} knows. */
export const nameBeside = (path: string, kind: "tmp" | "partial"): string =>
  `${path}.${crypto.randomUUID().slice(0, 13)}.${kind}`;

/**
 * Says that this process is at work on a file or folder that it has just made, for as long as it is open. File systems without locks know
 * no dead ones either.
 *
 * @returns whether it is still there: another process may have taken it for left behind in the moment before
 */
export function holdBeside(file: Deno.FsFile, beside: string): boolean {
  try {
    file.lockSync(true);
  } catch {
    return true;
  }
  return isTaken(beside);
}

/** Whether a name is of what a process that was killed may have left of writing to a place of this name, in the same folder. */
export const isLeftBehind = (name: string, place: string): boolean =>
  name.startsWith(`${place}.`) && RANDOM.test(name.slice(place.length + 1));

/** Removes what killed processes left of their writing to a place; once a process, and nothing that one at work holds. */
export function removeLeftBehind(path: string): void {
  const place = path.replace(/(?<=.)\/+$/, "");
  if (seen.has(place)) return;
  seen.add(place);
  for (const entry of entriesOf(dirname(place))) {
    if (!isLeftBehind(entry.name, basename(place))) continue;
    try {
      removeIfDead(`${dirname(place)}/${entry.name}`, entry);
    } catch {
      // Another's, or on its way: it hinders nobody.
    }
  }
}

const seen = new Set<string>();

/** What follows a place's name in {@link nameBeside}. */
const RANDOM = /^[0-9a-f]{8}(-[0-9a-f]{4})?\.(tmp|partial)$/;

/** Milliseconds: a link, which can hold no lock, has its name for a moment only. */
const OLD_LINK = 60_000;

function removeIfDead(path: string, { isSymlink, isFile, isDirectory }: Deno.DirEntry): void {
  if (isSymlink) {
    const made = Deno.lstatSync(path).mtime?.getTime() ?? Infinity;
    if (Date.now() - made > OLD_LINK) Deno.removeSync(path);
  }
  // Devices and the like are nothing of ours.
  if (!isFile && !isDirectory) return;
  using file = Deno.openSync(path);
  const [open, named] = [file.statSync(), Deno.lstatSync(path)];
  if (open.ino !== named.ino || open.dev !== named.dev || !file.tryLockSync(true)) return;
  Deno.removeSync(path, { recursive: isDirectory });
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return []; // not there, or not to be read: then nothing is removed
  }
}
