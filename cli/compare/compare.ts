import { ALL_MODES } from "../../eval/modes.ts";
import { defineCommand } from "../settings/define_command.ts";
import { choices, flag, text } from "../settings/setting.ts";
import { compareLines } from "./comparison.ts";
import { linesOf } from "./lines_of.ts";
import { inForm, refuseTwoForms, sayNotes, tableForms } from "./table_forms.ts";

const settings = {
  against: text("Line to take differences to, by its name", {
    placeholder: "line",
    defaultText: "the first",
  }),
  mode: choices(ALL_MODES, "Modes to show", { placeholder: "modes", defaultText: "all that were measured" }),
  checkpoints: flag("Show what was measured on the way, not at the end alone"),
  ...tableForms,
};

/** `softcot compare`: runs side by side. */
export const compareCommand = defineCommand({
  description: `Compare runs: what they learned, and what that took.

Runs that differ in nothing but their seed are one line: mean and standard deviation over its seeds. Differences to one line are \
paired by seed and question. Measured is what the run's own tables hold (tests.json), and evaluations that lie in its folder as \
evaluations/step-000100/NAME.json, as a sweep leaves them; a table of other questions than these is left out. A sweep's folder stands for all its \
runs. What was not measured, or was asked other questions than the rest of its line, is left out by name.`,
  arguments: [["<runs...:string:run>", "folders of runs, or of sweeps"]],
  settings,
  examples: [
    ["Three seeds of two ways", "softcot compare runs/soft-* runs/hard-*"],
    ["All of a sweep, as a table for a page", "softcot compare sweeps/ways --markdown"],
    [
      "Only how drawn tokens do, against untrained",
      "softcot compare sweeps/ways --mode hard-sample --against untrained",
    ],
  ],
  run({ against, mode, checkpoints, csv, markdown }, { args, json, quiet, print }) {
    refuseTwoForms({ csv, markdown, json });
    const comparison = compareLines(linesOf(args), { against, modes: mode, checkpoints });
    print(comparison, () => inForm(comparison, { csv, markdown }));
    if (!quiet) sayNotes(comparison, { csv });
  },
});
