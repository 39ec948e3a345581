/** Resident memory of a process and its peak, in MiB (Linux); undefined where it has ended. */
export function memoryOf(pid: number): { resident: number; peak: number } | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
    return { resident: of("VmRSS"), peak: of("VmHWM") };
  } catch {
    return undefined;
  }
}
