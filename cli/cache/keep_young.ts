import { touch } from "../../gpu/device/system_files.ts";
import { ownBuild, ownFolder } from "../facts/own_build.ts";

const DAY = 24 * 3600 * 1000;

/**
 * Touches the folder of a built copy once a day while it runs: the launcher of another version removes those that nobody has touched for
 * 30 days, and with them what a command that runs for longer has yet to load. To be called while its own folder may still be read.
 */
export function keepYoung(): void {
  if (ownBuild()) touchAgain(ownFolder(), DAY);
}

/** Touches a folder every so many milliseconds; keeps no process alive. Needs the C library, opened before the right to open it is given up. */
export function touchAgain(folder: string, every: number): ReturnType<typeof setInterval> {
  const timer = setInterval(() => touch(folder), every);
  Deno.unrefTimer(timer);
  return timer;
}
