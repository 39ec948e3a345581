import { UserError } from "../../gpu/errors.ts";
import { counted } from "../terminal/counted.ts";
import { duration } from "../terminal/duration.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { say } from "../terminal/print.ts";
import { createProgress } from "../terminal/progress.ts";
import { jobsOf } from "./jobs_of.ts";
import { type Failure, runSweep } from "./run_sweep.ts";
import type { SweepWork } from "./sweep_flags.ts";
import type { SweepFolder } from "./sweep_folder.ts";
import type { PlannedRun, SweepPlan } from "./sweep_plan.ts";

/**
 * Runs all that is not done, with progress on stderr; says how long it took and what failed.
 * @param runs these alone, with what is measured of the models that they start from
 */
export async function doSweep(
  folder: SweepFolder,
  plan: SweepPlan,
  work: SweepWork,
  runs: readonly PlannedRun[] = plan.runs,
): Promise<Failure[]> {
  const { quiet } = work;
  const began = performance.now();
  using interrupt = watchInterrupt(
    "Stopping: the runs under way save first. Press Ctrl-C again to stop at once.",
  );
  const all = jobsOf(folder.path, plan, runs);
  const start = all.filter(({ parts }) => parts.every(({ isDone }) => isDone)).length;
  using progress = createProgress({ label: "sweep", total: all.length, start, unit: "jobs", quiet });
  const failures = await runSweep(folder, plan, {
    ...work,
    signal: interrupt.signal,
    progress,
    only: runs,
  });
  progress.done();
  const took = duration((performance.now() - began) / 1000);
  const failed = runs.filter((run) => isFailed(run, failures)).length;
  const before = start === 0 ? "" : `, ${start} of ${counted(all.length, "job")} done before,`;
  const made = `${failed === 0 ? "" : `${runs.length - failed} of `}${counted(runs.length, "run")}`;
  if (!quiet) say(`${made}${before} in ${took}; the sweep is in ${folder.path}`);
  return failures;
}

/** Whether a run, or an evaluation of it, failed. */
export const isFailed = ({ name }: PlannedRun, failures: readonly Failure[]): boolean =>
  failures.some((failure) => failure.name === name);

/** @throws UserError that names the runs that failed */
export function refuseFailed(failures: readonly Failure[]): void {
  if (failures.length === 0) return;
  const [{ name, what, message, log }] = failures;
  throw new UserError(
    `Cannot complete the sweep: ${counted(failures.length, "job")} failed (${
      failures.map(({ name }) => name).join(", ")
    }); ${name}, ${what}: ${message}`,
    `${log} has all it said; the same command tries again what failed`,
  );
}
