/** What lies at a path. What is not there, or may not be looked at, is no error here. */

/** Whether anything is there. */
export function isThere(path: string): boolean {
  return statOf(path) !== undefined;
}

/** Whether a name is taken, be it by a link that leads nowhere. */
export function isTaken(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a folder is there. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory === true;
}

/** Whether a file is there. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile === true;
}

/** Whether a file itself is there, and not a link to one. */
export function isOwnFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}

/** Bytes of a file; undefined where there is none, as for links that lead nowhere. */
export function fileSize(path: string): number | undefined {
  return statOf(path)?.size;
}

/** When it was last written to, in milliseconds; 0 where there is nothing. */
export function modifiedAt(path: string): number {
  return statOf(path)?.mtime?.getTime() ?? 0;
}

/** Names in a folder, in no order; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Where a link leads; undefined if it is none. */
export function linkTarget(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
