import { table } from "../../../cli/terminal/table.ts";
import { type MemorySample, type Slope, summariseMemory } from "./memory.ts";

/** What a soak knows of itself, in its folder. */
export interface SoakState {
  settings: { every: number; updates: number; seed: number };
  /** Seconds in which something was run and watched. */
  seconds: number;
  /** Times that the soak itself was started. */
  starts: number;
  /** Processes so far. */
  life: number;
  /** The one that runs. */
  pid?: number;
  /** What ended processes, and the most seconds that one took to end. */
  signals: Partial<Record<Deno.Signal, { count: number; slowest: number }>>;
  /** Cycles that are done and compared, with the hash of their last weights. */
  done: { way: string; isWhole: boolean; hash: string }[];
  faults: string[];
}

/** Peaks of the later half of the processes may be so many times those of the earlier half. */
const GROWN = 1.1;

/** Prints what a soak came to; returns whether its memory stayed what it was. */
export function tellSoak(state: SoakState, samples: readonly MemorySample[]): boolean {
  const broken = state.done.filter(({ isWhole }) => !isWhole);
  console.log(
    `\n${(state.seconds / 3600).toFixed(2)} hours in ${state.starts} pieces, ${state.life} processes; ${
      state.done.length - broken.length
    } cycles of train and eval never stopped, ${broken.length} stopped and compared, each equal to them`,
  );
  for (const [way, cycles] of Map.groupBy(state.done, ({ way }) => way)) {
    const hashes = [...new Set(cycles.map(({ hash }) => hash))];
    console.log(
      `${way}: weights ${hashes.map((hash) => hash.slice(0, 16)).join(" AND ")} in ${cycles.length} cycles`,
    );
  }
  console.log(`\n${
    table(
      Object.entries(state.signals).map(([signal, told]) => [signal, told!.count, told!.slowest.toFixed(1)]),
      { header: ["signal", "times", "slowest to end, s"] },
    )
  }`);
  const told = summariseMemory(samples);
  const slope = ({ value, standardError }: Slope) =>
    Number.isNaN(value) ? "-" : `${value.toFixed(1)} ± ${standardError.toFixed(1)}`;
  const whole = (value: number) => Number.isFinite(value) ? value.toFixed(0) : "-";
  console.log(`\nmemory in MiB, slopes in MiB an hour\n${
    table(
      told.map(({ kind, lives, longLives, lowest, highest, early, late, within, across }) => [
        ...[kind, `${lives} (${longLives})`, whole(lowest), whole(highest)],
        ...[whole(early), whole(late), slope(within), slope(across)],
      ]),
      {
        header: [
          "process",
          "lives (long)",
          "lowest peak",
          "highest",
          "early",
          "late",
          "slope within",
          "slope of peaks",
        ],
      },
    )
  }`);
  for (const fault of state.faults) console.log(`\nFAULT ${fault}`);
  const grown = told.filter(({ early, late }) => late > GROWN * early);
  for (const { kind } of grown) console.log(`\nFAULT memory of ${kind} grew`);
  return grown.length === 0;
}
