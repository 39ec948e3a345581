import { spawnSync } from "node:child_process";

// Milliseconds: on a slow disk, or with a hook that waits, git takes longer than anybody wants to wait for a note.
const PATIENCE = 5000;

/** What git says of a repository; undefined where it fails, takes too long, or is not installed. */
export function git(cwd: string, ...args: string[]): string | undefined {
  try {
    const limits = { timeout: PATIENCE, killSignal: "SIGKILL" as const };
    const { status, stdout } = spawnSync("git", args, {
      cwd,
      ...limits,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return status === 0 ? stdout.toString().trim() : undefined;
  } catch {
    return undefined; // it may not be started
  }
}
