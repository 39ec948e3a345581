import { memoryOf } from "./memory_of.ts";

/**
 * The most memory that this process held since {@link forgetPeak}, in bytes; where the system does not say it, what it holds now.
 * Linux alone says it.
 */
export function peakMemory(): number {
  const memory = memoryOf(Deno.pid);
  return memory ? memory.peak * 2 ** 20 : Deno.memoryUsage().rss;
}

/** Lets the peak begin anew with what is held now, if the system can. */
export function forgetPeak(): void {
  try {
    Deno.writeTextFileSync("/proc/self/clear_refs", "5");
  } catch {
    // The peak then stays that of the whole process: larger, never smaller.
  }
}
