import { basename } from "node:path";
import { compareLines, type Comparison } from "../compare/comparison.ts";
import { inForm, refuseTwoForms, tableFlags } from "../compare/compare.ts";
import { sweepLines } from "../compare/lines_of.ts";
import { UserError } from "../../gpu/errors.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag, integer, path } from "../settings/setting.ts";
import { counted } from "../terminal/counted.ts";
import { duration } from "../terminal/duration.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { say } from "../terminal/print.ts";
import { createProgress } from "../terminal/progress.ts";
import { describePlan, jobStates } from "./describe_plan.ts";
import { forecast } from "./forecast.ts";
import { jobsOf } from "./jobs_of.ts";
import { readSweep } from "./read_sweep.ts";
import { type Failure, runSweep } from "./run_sweep.ts";
import { openSweep, type SweepFolder } from "./sweep_folder.ts";
import type { SweepPlan } from "./sweep_plan.ts";

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

const settings = { ...sweepFlags, ...tableFlags };

/** `softcot sweep`: many runs by one file. */
export const sweepCommand = defineCommand({
  description: `Train and measure many runs by one file, and compare them.

The file names settings that all runs share ([fixed]), a grid ([grid]: lists of values, or of named tables of settings), evaluations \
of every run ([[evaluate]]), and a base model to make first ([base], settings of softcot sft). Each run is a process of its own and an \
ordinary run's folder. What was stopped or killed goes on when the same command is given again; a run that fails is named and stops no \
other. At the end all lines stand in one table, as softcot compare shows it.

With --dry-run nothing but the first run is done, and only where none is yet: its speed is what the forecast is made from, and it is kept.`,
  arguments: [["<file:string>", "TOML file of the sweep"]],
  settings,
  opensDevice: true,
  examples: [
    ["Two ways, three seeds, two runs at a time", "softcot sweep ways.toml --jobs 2"],
    ["How long will it take?", "softcot sweep ways.toml --jobs 2 --dry-run"],
  ],
  async run({ jobs, dryRun, out, ...forms }, { args: [file], quiet, json, print }) {
    refuseTwoForms({ ...forms, json });
    const folder = out ?? `sweeps/${basename(file).replace(/\.toml$/, "")}`;
    const plan = readSweep(file, folder);
    using opened = openSweep(folder, plan);
    if (dryRun) return await tellPlan(opened, plan, jobs, quiet, print);
    const failures = await doSweep(opened, plan, jobs, quiet);
    const comparison = compareSweep(folder, plan);
    print({ folder, failures, comparison }, () => inForm(comparison, forms));
    refuseFailed(failures);
  },
});

/** Runs all that is not done, with progress on stderr; says how long it took and what failed. */
export async function doSweep(
  folder: SweepFolder,
  plan: SweepPlan,
  jobs: number,
  quiet: boolean,
  first?: number,
): Promise<Failure[]> {
  const began = performance.now();
  using interrupt = watchInterrupt(
    "Stopping: the runs under way save first. Press Ctrl-C again to stop at once.",
  );
  using progress = createProgress({ label: "sweep", total: jobsOf(folder.path, plan).length, quiet });
  const failures = await runSweep(folder, plan, { jobs, signal: interrupt.signal, progress, first });
  progress.done();
  const took = duration((performance.now() - began) / 1000);
  if (!quiet) say(`${counted(plan.runs.length, "run")} in ${took}; the sweep is in ${folder.path}`);
  return failures;
}

/** Lists what would run; the first run is made where nothing tells the speed yet. */
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
    if (!quiet) say("nothing is done yet: the first run is made, for its speed, and kept");
    await doSweep(folder, { ...plan, runs: plan.runs.slice(0, 1) }, 1, quiet);
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
