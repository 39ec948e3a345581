import { ValidationError } from "@cliffy/command";
import { basename } from "node:path";
import project from "../../../deno.json" with { type: "json" };
import { UserError } from "../../../gpu/errors.ts";
import { isFile } from "../../../model/files/on_disk.ts";
import { readPlainText } from "../../../model/files/plain_file.ts";
import { writeJson, writeWhole } from "../../../model/files/write_whole.ts";
import { linesAtEnd } from "../../compare/line_values.ts";
import type { Line } from "../../compare/lines_of.ts";
import type { TaskReport } from "../../eval/plan_tasks.ts";
import { reportsIn } from "../../eval/reports_in.ts";
import { gitState } from "../../facts/git_state.ts";
import { defineCommand } from "../../settings/define_command.ts";
import { flag } from "../../settings/setting.ts";
import { shown } from "../../settings/shown.ts";
import { planSweep, readSweep } from "../read_sweep.ts";
import { compareSweep, readLines } from "../compare_sweep.ts";
import { doSweep, isFailed, refuseFailed } from "../do_sweep.ts";
import { sweepFlags, sweepWork } from "../sweep_flags.ts";
import { tellPlan } from "../tell_plan.ts";
import { openSweep } from "../sweep_folder.ts";
import type { SweepPlan } from "../sweep_plan.ts";
import { claimData, NEEDED } from "./claim_data.ts";
import { judgeClaims } from "./claims.ts";
import { claimsPage, type PageFacts } from "./claims_page.ts";
import { claimsGrid } from "./claims_grid.ts";

const settings = {
  ...sweepFlags,
  quick: flag("Three seeds, 40 updates and half of the questions: a fifth of the time"),
};

/** `softcot sweep claims`: the paper's claims, judged by a grid that comes with the program. */
export const claimsCommand = defineCommand({
  description: `Put the paper's five claims to the test.

Makes a base model, trains it in seven ways over five seeds, measures each run in six modes, on the way and at its end, and judges each \
claim by the rule of docs/claims.md: holds, does not hold, or cannot be told. At most 90 minutes on two cores with --jobs 2, 15 with \
--quick. The page of verdicts is written to claims.md in the sweep's folder, and all numbers to claims.json.

A file of your own is judged by the same rule, if it has lines named hard, soft and fuzzy, and an [[evaluate]] at 0 and at the end.`,
  arguments: [["[file:string]", "a sweep's file, in place of the grid that comes with the program"]],
  settings,
  examples: [
    ["The whole grid, two runs at a time", "softcot sweep claims --jobs 2"],
    ["A first look", "softcot sweep claims --jobs 2 --quick"],
  ],
  async run({ jobs, dryRun, out, quick, allowOwn, rewardTimeout }, { args: [file], quiet, print }) {
    if (quick && file !== undefined) {
      throw new ValidationError("--quick goes with the grid of the program alone.");
    }
    const name = file === undefined
      ? `claims${quick ? "-quick" : ""}`
      : basename(file).replace(/\.toml$/, "");
    const folder = out ?? `sweeps/${name}`;
    const plan = file === undefined ? planSweep(claimsGrid(quick), folder) : readSweep(file, folder);
    refuseOtherLines(plan);
    const work = sweepWork({ jobs, allowOwn, rewardTimeout }, quiet);
    using opened = openSweep(folder, plan);
    if (dryRun) return await tellPlan(opened, plan, work, print);
    const failures = await doSweep(opened, plan, work);
    const isLost = (name: string) =>
      name === "untrained"
        ? failures.some((one) => one.name === name)
        : plan.runs.every((run) => run.line !== name || isFailed(run, failures));
    if (NEEDED.some(isLost)) refuseFailed(failures);
    const read = readLines(folder, plan);
    const { notes } = compareSweep(folder, read);
    const lines = linesAtEnd(read.lines);
    const data = claimData(lines);
    const verdicts = judgeClaims(data);
    const command = `softcot sweep claims${file === undefined ? "" : ` ${file}`}${quick ? " --quick" : ""}`;
    const page = claimsPage(data, verdicts, lines, { ...pageFacts(folder, command, plan, lines), notes });
    writeJson(`${folder}/claims.json`, verdicts);
    writeWhole(`${folder}/claims.md`, page);
    print({ folder, failures, verdicts }, () => page);
    refuseFailed(failures);
  },
});

/** Before anything runs. */
function refuseOtherLines({ runs, evaluations }: SweepPlan): void {
  const missing = NEEDED.filter((name) => name !== "untrained" && !runs.some(({ line }) => line === name));
  if (missing.length > 0) {
    throw new UserError(
      `Cannot judge the claims: no line is named ${missing.join(", ")}`,
      "name them by [[grid.way]] tables",
    );
  }
  if (evaluations.some(({ at }) => at.includes(0)) && evaluations.some(({ at }) => at.includes("end"))) {
    return;
  }
  throw new UserError(
    "Cannot judge the claims: the untrained model and the end of each run have to be measured",
    'add [[evaluate]] with at = [0, "end"]',
  );
}

function pageFacts(
  folder: string,
  command: string,
  { runs }: SweepPlan,
  lines: readonly Line[],
): Omit<PageFacts, "notes"> {
  const { commit, modified } = gitState() ?? {};
  const state = commit === undefined ? "" : ` of commit ${commit.slice(0, 12)}${modified ? ", changed" : ""}`;
  const { model, device } = firstReport(`${folder}/untrained/evaluations/step-000000`);
  const [{ settings, resolved }] = runs;
  const alike = Object.entries(settings)
    .filter(([key, value]) => runs.every((run) => shown(run.settings[key]) === shown(value)))
    .filter(([key]) => !["model", "keep", "steps"].includes(key))
    .map(([key, value]) => `${key} ${shown(value)}`);
  return {
    command,
    version: `${project.version}${state}`,
    model: model.hash,
    device: device.name,
    settings: [
      `${lines.reduce((sum, line) => sum + line.runs.length, 0) - 1} runs of ${resolved.steps} updates`,
      ...alike,
    ].join(", "),
  };
}

/** An evaluation of the untrained model: it tells the model and the device. */
function firstReport(folder: string): TaskReport {
  const found = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`).sort()
    .find((path) => path.endsWith(".json") && isFile(path));
  if (found === undefined) throw new UserError(`Cannot judge the claims: ${folder} holds no evaluation`);
  return reportsIn(JSON.parse(readPlainText(found)))[0] as TaskReport;
}
