/** The last guards around a comparison: budgets that were spent, a stack that ran out, the clock. */
import process from "node:process";
import { Script } from "node:vm";
import { EngineMissing, loadEngineNow } from "./algebra/engine.ts";
import type { Finding } from "./algebra/same_scalar.ts";
import { TooLarge, Undecidable } from "./budget.ts";
import { renewLongWork } from "./rational.ts";

/** The name under which the work of the moment is handed to the script. */
const SLOT = "softcot: comparison of the moment";
let script: Script | null = null;

/** Runs a script with a time limit: it is really stopped, wherever it is, which ending a worker would not do. */
function limited(work: () => Finding, seconds: number): Finding {
  script ??= new Script(`globalThis[${JSON.stringify(SLOT)}]()`);
  const slots = globalThis as unknown as Record<string, unknown>;
  slots[SLOT] = work;
  try {
    return script.runInThisContext({ timeout: Math.max(1, Math.round(seconds * 1000)) }) as Finding;
  } finally {
    // Not deleted: that would take longer than most comparisons.
    slots[SLOT] = undefined;
  }
}

/** Seconds of processor time that this thread has had. */
function busySeconds(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Runs a comparison; what cannot be decided within the budgets or the time is "not equal".
 *
 * When the clock on the wall runs out, the pair is judged once more, with this thread's own time beside it. Where the
 * thread has hardly worked, the machine is busy with other things, which says nothing about the pair: it is judged again
 * with twice the time.
 *
 * @param seconds of work that a pair may take
 */
export function guarded(work: () => Finding, seconds: number): Finding {
  let limit = seconds;
  // The first time the processor's time is not asked for, since asking takes longer than most comparisons.
  for (let before: number | null = null;; before = busySeconds()) {
    renewLongWork();
    try {
      return limited(work, limit);
    } catch (error) {
      if (error instanceof EngineMissing) loadEngineNow();
      else if ((error as { code?: string }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") return undecided(error);
      else if ((before !== null && busySeconds() - before >= seconds) || limit >= MOST_PATIENCE * seconds) {
        return { equal: false, rule: "time" };
      } else if (before !== null) limit *= 2;
    }
  }
}

/** How many times the limit a pair may wait for a processor. */
const MOST_PATIENCE = 32;

function undecided(error: unknown): Finding {
  if (error instanceof TooLarge || error instanceof RangeError) {
    return { equal: false, rule: "too large to decide", detail: error.message };
  }
  if (error instanceof Undecidable) return { equal: false, rule: "not proved equal", detail: error.message };
  throw error;
}
