/** The last guards around a comparison: budgets that were spent, a stack that ran out, the clock. */
import { Script } from "node:vm";
import { TooLarge, Undecidable } from "./budget.ts";
import { EngineMissing, loadEngineNow } from "./engine.ts";
import type { Finding } from "./scalar.ts";

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
    delete slots[SLOT];
  }
}

/** Runs a comparison; what cannot be decided within the budgets or the time is "not equal". */
export function guarded(work: () => Finding, seconds: number): Finding {
  try {
    return limited(work, seconds);
  } catch (error) {
    if (error instanceof EngineMissing) {
      loadEngineNow();
      return guarded(work, seconds);
    }
    if (error instanceof TooLarge || error instanceof RangeError) {
      return { equal: false, rule: "too large to decide", detail: error.message };
    }
    if (error instanceof Undecidable) {
      return { equal: false, rule: "not proved equal", detail: error.message };
    }
    if ((error as { code?: string }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
      return { equal: false, rule: "time" };
    }
    throw error;
  }
}
