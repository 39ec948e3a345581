// Often enough for Ctrl-C to feel immediate, rarely enough to cost nothing: a turn with a timer takes about a millisecond.
const INTERVAL = 100;
let last = 0;

/**
 * Lets signals, timers and other work come through, at most every 0.1 s. Reads from the device resolve without a turn of
 * the event loop (reader.ts), so a loop of reads alone would never hear Ctrl-C; nor does one that turns without a
 * timer, which is not always asked for signals.
 */
export async function letEventsIn(): Promise<void> {
  if (performance.now() - last < INTERVAL) return;
  await new Promise<void>((done) => void setTimeout(done, 1));
  last = performance.now();
}
