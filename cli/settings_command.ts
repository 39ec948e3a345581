import { taskEntry } from "../eval/tasks/open_task.ts";
import { evalSettings } from "./eval/eval_settings.ts";
import { generateSettings } from "./generate/generate_settings.ts";
import { sftSettings } from "./sft/sft_settings.ts";
import { table } from "./terminal/table.ts";
import { trainSettings } from "./train/train_settings.ts";
import { dashed } from "./settings/dashed.ts";
import { type Context, defineCommand } from "./settings/define_command.ts";
import { ownCodeFlags } from "./settings/flags.ts";
import { findRecipe } from "./settings/find_recipe.ts";
import type { Settings, Values } from "./settings/setting.ts";
import { shown } from "./settings/shown.ts";

/** `softcot settings`: what every setting of a command would be, and who says so; of train where none is named. */
export const settingsCommand = defineCommand({
  description: `Show every setting of a command: its value, and who sets it.

A flag has the last word, then the file given by --config, then the recipe of the task and the way of \
thinking, then the default. Flags, files and recipes use the same names. Nothing is trained or written: use it \
to check a config file before a long run. Shown are those of train, and behind eval, generate or sft of that command, \
whose defaults may depend on the model: these are empty here.`,
  settings: { ...trainSettings, ...ownCodeFlags },
  recipe: findRecipe,
  examples: [
    ["Check a config file", "softcot settings --config night.toml"],
    ["As JSON, with one value changed", "softcot settings --thinking fuzzy --gamma 0.1 --json"],
    ["Those of an evaluation", "softcot settings eval --config night.toml"],
  ],
  async run({ allowOwn: _grants, rewardTimeout: _seconds, ...values }, context) {
    await taskEntry(values.task);
    show(values, context);
  },
});

for (
  const [name, settings] of Object.entries({
    eval: evalSettings,
    generate: generateSettings,
    sft: sftSettings,
  } as Record<string, Settings>)
) {
  settingsCommand.command(
    name,
    defineCommand({ description: `Show every setting of softcot ${name}.`, settings, run: show }),
  );
}

function show<S extends Settings>(
  values: Values<S>,
  { origins, print }: Pick<Context<S>, "origins" | "print">,
): void {
  const rows = Object.entries(values).map(([key, value]) => ({
    name: dashed(key),
    value: value as unknown,
    from: origins[key as keyof S],
  }));
  const data = Object.fromEntries(
    rows.map(({ name, value, from }) => [name, { value: value ?? null, from }]),
  );
  const cells = () => rows.map(({ name, value, from }) => [name, shown(value), from]);
  print(data, () => table(cells(), { header: ["setting", "value", "from"], align: ["left", "left"] }));
}
