import { setImmediate } from "node:timers";

/**
 * Lets the event loop turn once: signals, timers and other work come through. Reads from the device resolve without a
 * turn (readback.ts), so a loop of reads alone would never hear Ctrl-C. Costs about 20 microseconds.
 */
export function letEventsIn(): Promise<void> {
  return new Promise((done) => void setImmediate(() => done()));
}
