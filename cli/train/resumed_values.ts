import { UserError } from "../../gpu/errors.ts";
import { refuseNoRun } from "../../rl/run/run.ts";
import { readConfigFile } from "../settings/config_file.ts";
import { dashed } from "../settings/dashed.ts";
import { type Origin, resolveConfig } from "../settings/resolve_config.ts";
import { shown } from "../settings/shown.ts";
import { trainSettings, type TrainValues } from "./train_settings.ts";

/**
 * The values of a run that goes on: its own; a flag may not change them.
 * @throws UserError if no run is named, there is none, or a flag asks for something else
 */
export function resumedValues(
  values: TrainValues,
  origins: Record<keyof TrainValues, Origin>,
): TrainValues {
  if (!values.out) {
    throw new UserError("Cannot resume: no run is named", "name its folder: --resume --out runs/NAME");
  }
  refuseNoRun(values.out);
  const saved = resolveConfig(trainSettings, {
    flags: {},
    file: readConfigFile(`${values.out}/config.toml`),
  });
  for (const key of Object.keys(trainSettings) as (keyof TrainValues)[]) {
    if (key === "out" || origins[key] !== "flag" || shown(values[key]) === shown(saved[key])) continue;
    throw new UserError(
      `Cannot resume ${values.out} with --${dashed(key)} ${shown(values[key])}: it runs with ${
        shown(saved[key])
      }`,
      "leave the flag out, or start a new run",
    );
  }
  return { ...saved, out: values.out };
}
