import { basename } from "node:path";
import { inForm, refuseTwoForms, sayNotes, tableForms } from "../compare/table_forms.ts";
import { defineCommand } from "../settings/define_command.ts";
import { claimsCommand } from "./claims/claims_command.ts";
import { compareSweep, readLines } from "./compare_sweep.ts";
import { doSweep, isFailed, refuseFailed } from "./do_sweep.ts";
import { readSweep } from "./read_sweep.ts";
import { openSweep } from "./sweep_folder.ts";
import { sweepFlags, sweepWork } from "./sweep_flags.ts";
import { tellPlan } from "./tell_plan.ts";

const settings = { ...sweepFlags, ...tableForms };

/** `softcot sweep`: many runs by one file. */
export const sweepCommand = defineCommand({
  description: `Train and measure many runs by one file, and compare them.

The file names settings that all runs share ([fixed]), a grid ([grid]: lists of values, or of named tables of settings), evaluations \
of every run ([[evaluate]]), and a base model to make first ([base], settings of softcot sft). Each run is a process of its own and an \
ordinary run's folder. What was stopped or killed goes on when the same command is given again; a run that fails is named and stops no \
other. At the end all lines stand in one table, as softcot compare shows it.

With --dry-run the first run is made where none is done yet, with --jobs the first few: their speed is what the forecast is made from, and \
they are kept. Nothing else is done.`,
  arguments: [["<file:string>", "TOML file of the sweep"]],
  settings,
  opensDevice: true,
  examples: [
    ["Two ways, three seeds, two runs at a time", "softcot sweep ways.toml --jobs 2"],
    ["How long will it take?", "softcot sweep ways.toml --jobs 2 --dry-run"],
  ],
  async run({ jobs, dryRun, out, allowOwn, rewardTimeout, ...forms }, { args: [file], quiet, json, print }) {
    refuseTwoForms({ ...forms, json });
    const folder = out ?? `sweeps/${basename(file).replace(/\.toml$/, "")}`;
    const plan = readSweep(file, folder);
    const work = sweepWork({ jobs, allowOwn, rewardTimeout }, quiet);
    using opened = openSweep(folder, plan);
    if (dryRun) return await tellPlan(opened, plan, work, print);
    const failures = await doSweep(opened, plan, work);
    if (plan.runs.every((run) => isFailed(run, failures))) refuseFailed(failures);
    const comparison = compareSweep(folder, readLines(folder, plan));
    print({ folder, failures, comparison }, () => inForm(comparison, forms));
    if (!quiet) sayNotes(comparison, forms);
    refuseFailed(failures);
  },
});

sweepCommand.command("claims", claimsCommand);
