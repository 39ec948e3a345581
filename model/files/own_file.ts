/**
 * Files that are written where others may have laid something before: what is there already is never written through.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { holdBeside, nameBeside, removeLeftBehind } from "./left_behind.ts";

/**
 * Makes a new file beside a place, under a name that nobody can foresee; what killed processes left there goes.
 *
 * @returns the file, open, and its path: to be renamed to the place, or removed
 */
export function createBeside(path: string): { file: Deno.FsFile; beside: string } {
  removeLeftBehind(path);
  for (;;) {
    const beside = nameBeside(path, "tmp");
    const file = Deno.openSync(beside, { write: true, createNew: true });
    if (holdBeside(file, beside)) return { file, beside };
    file.close();
  }
}

/**
 * Makes a new folder beside a place, as {@link createBeside} makes a file.
 *
 * @returns the open folder, which is to be closed when it has been renamed or removed, and its path
 */
export function createFolderBeside(path: string): { folder: Deno.FsFile; beside: string } {
  removeLeftBehind(path);
  for (;;) {
    const beside = nameBeside(path, "partial");
    Deno.mkdirSync(beside, { recursive: true });
    const folder = Deno.openSync(beside);
    if (holdBeside(folder, beside)) return { folder, beside };
    folder.close();
  }
}

/**
 * Opens a file of one name alone to be written to, or makes it.
 *
 * @param options as of Deno.open
 * @throws UserError if a link lies there, or something else that is no regular file
 */
export function openOwn(path: string, options: Deno.OpenOptions): Deno.FsFile {
  const known = infoOf(path);
  if (known === undefined) {
    try {
      return Deno.openSync(path, { ...options, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return openOwn(path, options); // Another process was first.
    }
  }
  const refuse = (what: string) =>
    new UserError(`Cannot write ${path}: ${what}`, "remove it, if nobody needs what it leads to");
  if (!known.isFile) throw refuse("a link or no regular file lies there, a file is needed");
  const file = Deno.openSync(path, options);
  const { ino, dev } = file.statSync();
  // It might have been exchanged since.
  if (ino === known.ino && dev === known.dev) return file;
  file.close();
  throw refuse("it is not the file that was there a moment ago");
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Takes an open file's lock, which is the system's and goes with the process.
 *
 * @returns the file, which holds the lock until it is closed
 * @throws `taken` if another process has it
 */
export function holdLock(file: Deno.FsFile, taken: Error): Deno.FsFile {
  for (let tries = 0; tries < TRIES; tries++) {
    if (file.tryLockSync(true)) return file;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN);
  }
  file.close();
  throw taken;
}

/** Who only asks whether a lock is held (`softcot view`) holds it for less than a ms; these are times and ms to wait for that. */
const [TRIES, BETWEEN] = [4, 15];
