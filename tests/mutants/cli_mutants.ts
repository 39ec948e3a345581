import { type Mutant, mutant } from "./mutant.ts";

/** Faults of the command line. */
export const CLI_MUTANTS: readonly Mutant[] = [
  mutant(
    "cli/settings/resolve_config.ts",
    "the recipe overrules the file",
    "{ ...defaults, ...recipe, ...file, ...flags };",
    "{ ...defaults, ...file, ...recipe, ...flags };",
    ["cli/settings"],
  ),
  mutant(
    "cli/settings/resolve_config.ts",
    "the file overrules flags",
    "const values = { ...defaults, ...recipe, ...file, ...flags };",
    "const values = { ...defaults, ...recipe, ...flags, ...file };",
    ["cli/settings"],
  ),
  mutant(
    "cli/settings/resolve_config.ts",
    "a key written twice goes through",
    "if (key in spelled) {",
    "if (key in spelled && written === key) {",
    ["cli/settings"],
  ),
  mutant(
    "cli/terminal/progress_stream.ts",
    "a pipe is taken for a terminal",
    'if (!Deno.stderr.isTerminal() || Deno.env.get("TERM") === "dumb") return 0;',
    'if (Deno.env.get("TERM") === "dumb") return 80;',
    ["cli/terminal"],
  ),
  mutant(
    "cli/train/test_modes.ts",
    "the best table is made with the last weights",
    "loadTrained(`${folder}/checkpoints/${nameOf(best.step)}`, model);",
    "void loadTrained, nameOf, folder, model;",
    ["cli/train/test_modes_test.ts"],
  ),
  mutant(
    "cli/train/test_modes.ts",
    "tables are made on validation questions",
    'stream: "test",',
    'stream: "validation",',
    ["cli/train/test_modes_test.ts"],
  ),
  mutant(
    "cli/train/test_modes.ts",
    "the table before is made again on resume",
    'if (kept !== "damaged" && (kept || state.step > 0)) return kept;',
    'if (kept !== "damaged" && state.step > 0) return kept;',
    ["cli/train/test_modes_test.ts"],
  ),
  mutant(
    "cli/defaults/default_gamma.ts",
    "the recipe's noise counts more than the run's",
    "gammaOf(runValues(model)) ?? gammaOf(findRecipe({ task, model })?.values)",
    "gammaOf(findRecipe({ task, model })?.values) ?? gammaOf(runValues(model))",
    ["cli"],
  ),
  mutant(
    "cli/train/resumed_values.ts",
    "a flag may change a run",
    "shown(values[key]) === shown(saved[key])\n",
    'key !== "lr"\n',
    ["cli/train/train_resume_test.ts"],
  ),
];
