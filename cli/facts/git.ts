import { spawnSync } from "node:child_process";

// Milliseconds: longer than git takes on a machine that others keep busy, where five seconds were too few. A disk that does not answer is not waited for without end.
const PATIENCE = 60_000;

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
