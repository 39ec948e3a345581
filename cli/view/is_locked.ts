import { openWithin } from "./index/open_within.ts";

/**
 * Whether a process holds the lock of a file: it trains, measures or sweeps there. A lock of its own is held for the moment of asking; who
 * wants the file then waits that long (`holdLock`).
 *
 * @param root real path of the folder that it lies in
 */
export function isLocked(root: string, path: string): boolean {
  try {
    using file = openWithin(root, path);
    return !file.tryLockSync(false);
  } catch {
    return false; // none was ever held there, or it may not be looked at
  }
}
