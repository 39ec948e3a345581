/** Seconds between its starts and stops. */
export interface Stopwatch {
  /** Goes on; nothing where it runs already. */
  start(): void;
  /** Pauses; nothing where it stands. */
  stop(): void;
  /** So far. */
  seconds(): number;
}

/** A stopwatch that stands at 0. */
export function createStopwatch(now: () => number = () => performance.now()): Stopwatch {
  let spent = 0;
  let since: number | null = null;
  const running = () => since === null ? 0 : now() - since;
  return {
    start: () => void (since ??= now()),
    stop() {
      spent += running();
      since = null;
    },
    seconds: () => (spent + running()) / 1000,
  };
}
