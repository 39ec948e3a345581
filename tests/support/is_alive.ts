/** Whether a process runs (Linux). */
export function isAlive(pid: number): boolean {
  try {
    // What has ended, and nobody has asked after, is listed still.
    return !/^\d+ \(.*\) [ZX]/s.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
