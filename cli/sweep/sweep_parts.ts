import { compareLines, type Comparison } from "../compare/comparison.ts";
import { sweepLines } from "../compare/lines_of.ts";
import { UserError } from "../../gpu/errors.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { flag, integer, path } from "../settings/setting.ts";
import { counted } from "../terminal/counted.ts";
import { duration } from "../terminal/duration.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { say } from "../terminal/print.ts";
import { createProgress } from "../terminal/progress.ts";
import { describePlan, jobStates } from "./describe_plan.ts";
import { forecast } from "./forecast.ts";
import { jobsOf } from "./jobs_of.ts";
import { type Failure, runSweep } from "./run_sweep.ts";
import type { SweepFolder } from "./sweep_folder.ts";
import type { SweepPlan } from "./sweep_plan.ts";

/**
 * What every command that sweeps does alike.
 *
 * @module
 */

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
};

/** Runs all that is not done, with progress on stderr; says how long it took and what failed. */
export async function doSweep(
  folder: SweepFolder,
  plan: SweepPlan,
  jobs: number,
  quiet: boolean,
): Promise<Failure[]> {
  const began = performance.now();
  using interrupt = watchInterrupt(
    "Stopping: the runs under way save first. Press Ctrl-C again to stop at once.",
  );
  using progress = createProgress({
    label: "sweep",
    total: jobsOf(folder.path, plan).length,
    unit: "jobs",
    quiet,
  });
  const failures = await runSweep(folder, plan, { jobs, signal: interrupt.signal, progress });
  progress.done();
  const took = duration((performance.now() - began) / 1000);
  if (!quiet) say(`${counted(plan.runs.length, "run")} in ${took}; the sweep is in ${folder.path}`);
  return failures;
}

/** Lists what would run. Where nothing tells the speed yet the first runs are made, as many as are to run at a time: so fast they are then. */
export async function tellPlan(
  folder: SweepFolder,
  plan: SweepPlan,
  jobs: number,
  quiet: boolean,
  print: (data: unknown, text: () => string) => void,
): Promise<void> {
  const look = () => {
    const all = jobsOf(folder.path, plan);
    return { all, told: forecast(folder.path, all, jobs) };
  };
  let { all, told } = look();
  if (told.seconds === null) {
    const first = plan.runs.slice(0, jobs);
    if (!quiet) {
      say(`nothing tells the speed yet; made first, and kept: ${first.map(({ name }) => name).join(", ")}`);
    }
    await doSweep(folder, { ...plan, runs: first }, jobs, quiet);
    ({ all, told } = look());
  }
  const states = jobStates(folder.path, all, told);
  print(
    { folder: folder.path, seconds: told.seconds, bytes: told.bytes, jobs: states },
    () => describePlan(states, told, jobs),
  );
}

/** All lines of a sweep; kept in its folder. */
export function compareSweep(folder: string, { runs }: SweepPlan): Comparison {
  const names = Object.fromEntries(runs.map(({ name, line }) => [name, line]));
  const comparison = compareLines(sweepLines(folder, names));
  writeJson(`${folder}/comparison.json`, comparison);
  return comparison;
}

/** @throws UserError that names the runs that failed */
export function refuseFailed(failures: readonly Failure[]): void {
  if (failures.length === 0) return;
  const [{ name, what, message, log }] = failures;
  throw new UserError(
    `Cannot complete the sweep: ${counted(failures.length, "run")} failed (${
      failures.map(({ name }) => name).join(", ")
    }); ${name}, ${what}: ${message}`,
    `${log} has all it said; the same command tries again what failed`,
  );
}
