import { pause } from "../../gpu/pause.ts";
import { isTaken } from "../../model/files/on_disk.ts";

/** Waits until no process holds a run's lock: one that a killed sweep left behind ends by itself, after its update. */
export async function freeLock(path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isHeld(path)) await pause(200);
}

function isHeld(path: string): boolean {
  if (!isTaken(path)) return false;
  using file = Deno.openSync(path, { read: true, write: true });
  return !file.tryLockSync(true);
}
