import { HEEDED_BY } from "../../model/thinking/ways.ts";
import { isFolder } from "../../model/files/on_disk.ts";
import { camel, dashed } from "../settings/dashed.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { shown } from "../settings/shown.ts";
import { ownTaskOf, runValues } from "./run_values.ts";

/** What a run's folder may set for those who ask its model, whatever way it was trained to think. */
const ALWAYS = ["task", "gamma", "chat-template", "system"];

/**
 * What the folder of a model sets where nobody else does, and which own task it names in vain, in lines for people.
 *
 * @param model as given to --model
 * @param origins who set each value
 */
export function runNotes(model: string, origins: Readonly<Record<string, Origin>>): string[] {
  const run = runValues(model);
  if (Object.keys(run).length === 0 && isFolder(`${model}/checkpoints`)) {
    return [
      `warning  ${model} is a run without its settings (config.toml): what it was trained with is not known, the defaults count`,
    ];
  }
  const mixing = Object.entries<readonly unknown[]>(HEEDED_BY).filter(([, heeding]) =>
    heeding.includes(run.thinking)
  );
  const set = [...ALWAYS, ...mixing.map(([name]) => dashed(name))].filter((name) =>
    run[name] !== undefined && run[name] !== false
  )
    .filter((name) => (origins[camel(name)] ?? "default") === "default");
  const own = origins.task === "default" ? ownTaskOf(model) : undefined;
  return [
    ...(set.length > 0
      ? [`run      sets ${set.map((name) => `${name} ${shown(run[name])}`).join(", ")}`]
      : []),
    ...(own === undefined
      ? []
      : [`run      was trained on ${own}, which is not opened: --task ${own} asks by its prompt`]),
  ];
}
