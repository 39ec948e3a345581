import { assert } from "@std/assert";
import { forgetPeak, peakMemory } from "../../support/peak_memory.ts";

/** Fails if `work` takes 10 seconds, or at its peak 1 GB of memory beyond what was held before. */
export async function held<T>(work: () => T | Promise<T>): Promise<T> {
  forgetPeak();
  const [began, memory] = [performance.now(), peakMemory()];
  const result = await work();
  const [seconds, bytes] = [(performance.now() - began) / 1000, peakMemory() - memory];
  assert(seconds < 10, `${seconds} s`);
  assert(bytes < 1e9, `${bytes} bytes`);
  return result;
}
