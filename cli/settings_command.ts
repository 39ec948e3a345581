import { taskEntry } from "../eval/tasks/open_task.ts";
import { table } from "./terminal/table.ts";
import { trainSettings } from "./train/train_settings.ts";
import { dashed } from "./settings/dashed.ts";
import { defineCommand } from "./settings/define_command.ts";
import { findRecipe } from "./settings/find_recipe.ts";
import { flags } from "./settings/flags.ts";
import { shown } from "./settings/shown.ts";

const settings = { ...flags, ...trainSettings };

/** `softcot settings`: what every setting would be, and who says so. */
export const settingsCommand = defineCommand({
  description: `Show every setting: its value, and who sets it.

A flag has the last word, then the file given by --config, then the recipe of the task and the way of \
thinking, then the default. Flags, files and recipes use the same names. Nothing is trained or written: use it \
to check a config file before a long run.`,
  settings,
  recipe: findRecipe,
  examples: [
    ["Check a config file", "softcot settings --config night.toml"],
    ["As JSON, with one value changed", "softcot settings --thinking fuzzy --gamma 0.1 --json"],
  ],
  async run(values, { origins, print }) {
    await taskEntry(values.task);
    const rows = Object.entries(values).map(([key, value]) => ({
      name: dashed(key),
      value,
      from: origins[key as keyof typeof values],
    }));
    const data = Object.fromEntries(
      rows.map(({ name, value, from }) => [name, { value: value ?? null, from }]),
    );
    const cells = () => rows.map(({ name, value, from }) => [name, shown(value), from]);
    print(data, () => table(cells(), { header: ["setting", "value", "from"], align: ["left", "left"] }));
  },
});
