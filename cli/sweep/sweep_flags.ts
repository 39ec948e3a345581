import { flags, ownCodeFlags } from "../settings/flags.ts";
import { flag, integer, path, type Values } from "../settings/setting.ts";

/** Flags of every sweep. */
export const sweepFlags = {
  jobs: integer("Runs at a time, which share the cores of a software device", {
    default: 1,
    min: 1,
    max: 64,
    short: "j",
  }),
  dryRun: flag("List what would run, with the time and memory it will take by the speed of what is done"),
  out: path("Folder of the sweep; the same command goes on with what is there", {
    placeholder: "dir",
    short: "o",
  }),
  ...ownCodeFlags,
};

/** How a sweep's processes are run. */
export interface SweepWork {
  /** How many at a time. */
  jobs: number;
  /** Progress is not told. */
  quiet: boolean;
  /** Words of each training's and evaluation's command line, beside its settings. */
  words: readonly string[];
}

/** How a command line wants them run. What own code may do is no setting of a run: it is said there, each time, and nowhere else. */
export function sweepWork(
  { jobs, allowOwn, rewardTimeout }: Pick<Values<typeof sweepFlags>, "jobs" | "allowOwn" | "rewardTimeout">,
  quiet: boolean,
): SweepWork {
  const granted = allowOwn === undefined ? [] : [`--allow-own=${allowOwn.join(",")}`];
  const timed = rewardTimeout === flags.rewardTimeout.default ? [] : [`--reward-timeout=${rewardTimeout}`];
  return { jobs, quiet, words: [...granted, ...timed] };
}
