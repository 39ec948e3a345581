import { sep } from "node:path";
import { openPlain } from "../../../model/files/plain_file.ts";

/**
 * Opens a file that lies within a folder itself: no link, of the file or of a folder on the way, leads to it.
 *
 * @param root real path of the folder
 * @param path of the file, below it
 * @throws Error that says what is in the way
 */
export function openWithin(root: string, path: string): Deno.FsFile {
  const file = openPlain(path);
  try {
    if (!isWithin(root, Deno.realPathSync(path)) || !isSame(file.statSync(), Deno.lstatSync(path))) {
      throw new Error("a link leads to it, a file within the folder is needed");
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a real path lies below a folder, or is it. */
export const isWithin = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

const isSame = (a: Deno.FileInfo, b: Deno.FileInfo): boolean =>
  b.isFile && a.ino === b.ino && a.dev === b.dev;
