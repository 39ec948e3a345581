/** Passes a text on as it comes, up to one of the texts that it is to stop at. */
export interface StopText {
  /** The text that became certain. */
  push(text: string): string;
  /** What was held back, when no more comes. */
  end(): string;
  /** A stop was found: what came before it is all there is. */
  readonly stopped: boolean;
}

/** Holds back what may be the beginning of a stop. */
export function createStopText(stops: readonly string[]): StopText {
  let held = "";
  let stopped = false;
  const longestHeld = (): number => {
    let longest = 0;
    for (const stop of stops) {
      for (let length = Math.min(stop.length - 1, held.length); length > longest; length--) {
        if (held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  };
  return {
    push(text) {
      if (stopped) return "";
      held += text;
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      if (found.length > 0) {
        stopped = true;
        return held.slice(0, Math.min(...found));
      }
      const kept = longestHeld();
      const passed = held.slice(0, held.length - kept);
      held = held.slice(held.length - kept);
      return passed;
    },
    end() {
      const rest = stopped ? "" : held;
      held = "";
      return rest;
    },
    get stopped() {
      return stopped;
    },
  };
}
