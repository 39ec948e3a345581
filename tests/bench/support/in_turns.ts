import process from "node:process";
import { median } from "../../../cli/bench/measure.ts";
import { table } from "../../../cli/terminal/table.ts";

// Milliseconds of a repetition, below which several are timed together.
const LEAST = 60;

/** One of two sides of a comparison: does a work so many times, and waits for it. */
export type Side = (work: number, repeats: number) => Promise<void>;

/** What is compared: milliseconds of the clock, or of this process's processors, which tell more where other programs run. */
export type Clock = "wall" | "cpu";

const now: Record<Clock, () => number> = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/**
 * Times works of two sides in turns, and tells how many times as fast the second is: by the best of the rounds, by their medians, and by
 * the median of the ratios of neighbours. On a busy machine the first is the steadiest.
 * @param options.most repetitions that are timed together, at most
 */
export async function inTurns(
  names: readonly string[],
  sides: readonly [Side, Side],
  { rounds, most = 10, clock = "wall" }: { rounds: number; most?: number; clock?: Clock },
): Promise<string> {
  const time = async (side: Side, work: number, repeats: number) => {
    const started = now[clock]();
    await side(work, repeats);
    return (now[clock]() - started) / repeats;
  };
  const rows = [];
  for (const [work, name] of names.entries()) {
    for (const side of sides) await side(work, 1);
    const repeats = Math.max(1, Math.min(most, Math.ceil(LEAST / await time(sides[0], work, 1))));
    const times: number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        times[side].push(await time(sides[side], work, repeats));
      }
    }
    const [old, after] = times;
    const ratios = old.map((time, round) => time / after[round]);
    const best = times.map((all) => Math.min(...all));
    rows.push([
      name,
      ...best.map((time) => time.toPrecision(3)),
      ...[best[0] / best[1], median(old) / median(after), median(ratios)].map((ratio) => ratio.toFixed(2)),
    ]);
  }
  return table(rows, {
    header: ["", "before, ms", "after, ms", "speed, best", "medians", "neighbours"],
    align: ["left", "right", "right", "right", "right", "right"],
  });
}
