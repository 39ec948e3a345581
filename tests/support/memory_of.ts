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

/** Seconds of processor time that a process has taken, by all its threads (Linux); undefined where it has ended. */
export function processorSeconds(pid: number): number | undefined {
  try {
    // Behind the name, which may hold anything: state, ..., utime and stime in hundredths.
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}
