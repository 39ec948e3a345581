import { pause } from "../../gpu/pause.ts";

/** Waits for what the device does, and lets events in meanwhile. */
export interface Patience {
  /**
   * Reads what the device makes.
   * @param like work that takes as long
   * @param began when the device was given it, by `performance.now()`
   */
  wait<T>(like: string, began: number, read: () => Promise<T>): Promise<T>;
}

/** Of the time that work like it took last: so much is waited by a timer. */
const SHARE = 0.85;
/** Shorter waits, in milliseconds, are not worth a timer. */
const LEAST = 4;
/** What is read in less was there before it was asked for. */
const THERE = 1;

/**
 * A read stops the thread until the device is done, however it is asked for: nobody is heard meanwhile, no health is told, no hang-up seen.
 * So most of the time that such work took last passes by a timer before the read is begun.
 *
 * @param now the clock, in milliseconds
 * @param sleep resolves after so many milliseconds
 */
export function createPatience(
  now = () => performance.now(),
  sleep: (ms: number) => Promise<void> = pause,
): Patience {
  const lasted = new Map<string, number>();
  return {
    async wait(like, began, read) {
      const left = began + SHARE * (lasted.get(like) ?? 0) - now();
      if (left >= LEAST) await sleep(left);
      const asked = now();
      const value = await read();
      const ended = now();
      // Of what was there already nobody knows since when.
      const isSure = ended - asked >= THERE || left < LEAST;
      lasted.set(like, isSure ? ended - began : (ended - began) / 2);
      return value;
    },
  };
}
