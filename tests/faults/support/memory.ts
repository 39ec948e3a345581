/** Memory of processes as it was sampled while they ran, and whether it stays what it is. */

import { mean } from "../../../cli/compare/crossed.ts";

/** One sample. */
export interface MemorySample {
  /** Number of the process. */
  life: number;
  /** What ran: the command and its way. */
  kind: string;
  /** Seconds since the process began. */
  at: number;
  /** Hours since all of it began. */
  hour: number;
  /** Resident memory, in MiB. */
  resident: number;
  /** The most of it so far. */
  peak: number;
}

/** A slope of a line with its standard error, per unit of x. */
export interface Slope {
  value: number;
  standardError: number;
}

/** What the memory of one kind of process came to. */
export interface MemorySummary {
  kind: string;
  /** Processes, and how many of them lived long enough for the slope within. */
  lives: number;
  longLives: number;
  /** Peaks of processes that lived for 45 s and longer, in MiB: lowest, highest, and means of the earlier and the later half. */
  lowest: number;
  highest: number;
  early: number;
  late: number;
  /** Growth of a process from its 180th second on, MiB an hour: one slope for all, each with a level of its own. */
  within: Slope;
  /** Growth of the peak from process to process, MiB an hour. */
  across: Slope;
}

/** Seconds in which a process comes to most of what it needs: compiles, fills pools. */
const WARM = 45;
/** Seconds after which it has settled: V8's heap has grown to what it keeps between collections, on a machine with others' work on it. */
const SETTLED = 180;

/** Sums up what was sampled, by kind. */
export function summariseMemory(samples: readonly MemorySample[]): MemorySummary[] {
  return [...Map.groupBy(samples, ({ kind }) => kind)].map(([kind, ofKind]) => {
    const lives = [...Map.groupBy(ofKind, ({ life }) => life).values()];
    const warm = lives.filter((life) => life.at(-1)!.at >= WARM).map((life) => life.at(-1)!);
    const peaks = warm.map(({ peak }) => peak);
    const half = Math.ceil(peaks.length / 2);
    const long = lives.map((life) => life.filter(({ at }) => at >= SETTLED)).filter((life) =>
      life.length >= 6
    );
    return {
      ...{ kind, lives: lives.length, longLives: long.length },
      ...{ lowest: Math.min(...peaks), highest: Math.max(...peaks) },
      ...{ early: mean(peaks.slice(0, half)), late: mean(peaks.slice(-half)) },
      within: slopeOf(long.map((life) => life.map(({ at, resident }) => [at / 3600, resident]))),
      across: slopeOf([warm.map(({ hour, peak }) => [hour, peak])]),
    };
  });
}

/** Least squares of one slope for all groups of points, each with a constant of its own. NaN where there are too few points. */
export function slopeOf(groups: readonly (readonly (readonly number[])[])[]): Slope {
  const points = groups.filter((group) => group.length > 0).flatMap((group) => {
    const [x, y] = [0, 1].map((i) => mean(group.map((point) => point[i])));
    return group.map((point) => [point[0] - x, point[1] - y]);
  });
  const sum = (of: (x: number, y: number) => number) => points.reduce((total, [x, y]) => total + of(x, y), 0);
  const spread = sum((x) => x * x);
  const value = sum((x, y) => x * y) / spread;
  const free = points.length - groups.length - 1;
  const standardError = Math.sqrt(sum((x, y) => (y - value * x) ** 2) / free / spread);
  return free > 0 ? { value, standardError } : { value: NaN, standardError: NaN };
}
