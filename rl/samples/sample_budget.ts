import type { Run } from "../run/run.ts";
import type { KeptRollout } from "./kept_rollout.ts";

const MB = 1e6;

/** What samples.jsonl grows by in any hour at most, in bytes. */
export const MOST_AN_HOUR = 50 * MB;

/** Of that what may be written at once, when nothing was for long. */
const AT_ONCE = MOST_AN_HOUR / 2;

/** Bytes that may be written: {@link AT_ONCE} at first, which fill up again in the course of an hour. */
interface SampleBudget {
  /** Takes so many bytes; false where there are fewer. A full budget gives even more than it has, and is in debt then for as long as that takes. */
  take(bytes: number): boolean;
}

/** A full budget. @param now milliseconds, of a clock that never goes back */
export function createSampleBudget(now = () => performance.now()): SampleBudget {
  let [left, last] = [AT_ONCE, now()];
  return {
    take(bytes) {
      const time = now();
      left = Math.min(AT_ONCE, left + (MOST_AN_HOUR - AT_ONCE) * (time - last) / 3_600_000);
      last = time;
      if (bytes > left && left < AT_ONCE) return false;
      left -= bytes;
      return true;
    },
  };
}

/** Writes the groups of an update that the budget allows: whole ones, from the first on. */
export function keepSamples(run: Run, kept: readonly KeptRollout[], budget: SampleBudget): void {
  const groups = Map.groupBy(kept, ({ group }) => group);
  for (const group of groups.values()) {
    const lines = group.map((rollout) => JSON.stringify(rollout) + "\n").join("");
    if (!budget.take(new TextEncoder().encode(lines).length)) return;
    for (const rollout of group) run.appendSample({ ...rollout });
  }
}
