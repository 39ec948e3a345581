import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import type { Hub } from "./hub.ts";
import { TransientError } from "./hub_errors.ts";

/** Times that something is tried again before it counts as failed. */
const MOST_ATTEMPTS = 5;

/** Seconds that a server may ask to wait before that, too, counts as failed. */
const MOST_SECONDS = 600;

/**
 * Tries again what failed for a passing reason, longer and longer after each time.
 *
 * @param hasMoved whether something came since it was last asked
 * @param keeps whether anything that came lies in the cache, for the hint
 */
export async function retry<T>(
  hub: Hub,
  what: string,
  attempt: (isFirst: boolean) => Promise<T>,
  hasMoved: () => boolean = () => false,
  keeps: () => boolean = () => false,
): Promise<T> {
  for (let failures = 0, first = true;; first = false) {
    try {
      return await attempt(first);
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      failures = hasMoved() ? 1 : failures + 1;
      const seconds = error.waitSeconds ?? hub.retryDelay * 2 ** (failures - 1) / 1000;
      if (failures >= MOST_ATTEMPTS || seconds > MOST_SECONDS) {
        const how = failures >= MOST_ATTEMPTS
          ? `${failures} attempts in a row failed`
          : `it asks to wait ${seconds} s`;
        throw new UserError(
          `Cannot ${what} from ${hub.endpoint}: ${error.message} (${how})`,
          keeps()
            ? "what has come is kept: the same command goes on from there"
            : "check the network, and HF_ENDPOINT and the proxy where they are set; then try again",
        );
      }
      hub.notice(`${error.message}; trying again in ${seconds < 10 ? seconds.toPrecision(2) : seconds} s`);
      await pause(seconds * 1000, hub.signal);
    }
  }
}
