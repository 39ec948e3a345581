import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { UserError } from "../../gpu/errors.ts";
import { refuseNoRun } from "../../rl/run/run.ts";
import { readConfigFile } from "../settings/config_file.ts";
import { dashed } from "../settings/dashed.ts";
import { type Origin, resolveConfig } from "../settings/resolve_config.ts";
import { shown } from "../settings/shown.ts";
import { trainSettings, type TrainValues } from "./train_settings.ts";

/**
 * The values of a run that goes on: its own; a flag may not change them.
 * @throws UserError if no run is named, there is none, a flag asks for something else, or the run used own code that is not named
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
    if (key === "out" || shown(values[key]) === shown(saved[key])) continue;
    const isCode = key === "task" || key === "reward";
    if (origins[key] !== "flag" && !(isCode && origins[key] === "config")) continue;
    throw new UserError(
      `Cannot resume ${values.out} with --${dashed(key)} ${shown(values[key])}: it runs with ${
        shown(saved[key])
      }`,
      "leave the flag out, or start a new run",
    );
  }
  refuseUnnamedCode(values.out, saved, origins);
  return { ...saved, out: values.out };
}

/** How a run is gone on with: its folder, the own code that it used, which nobody but the command line may name, and the device if one was chosen. */
export function resumeCommand(out: string, values: TrainValues): string {
  const named = ownCodeOf(values).map((key) => ` --${key} ${shown(values[key])}`);
  const gpu = Deno.env.get("SOFTCOT_GPU");
  return `softcot train --resume --out ${out}${named.join("")}${gpu ? ` --gpu ${gpu}` : ""}`;
}

/** The values of a run that are own code. */
function ownCodeOf({ task, reward = [] }: TrainValues): ("task" | "reward")[] {
  const isOwn = { task: isTaskFile(task), reward: reward.some((one) => !/^task(=[^=/]*)?$/.test(one)) };
  return (["task", "reward"] as const).filter((key) => isOwn[key]);
}

/** A folder from elsewhere may name any file as its task: what is run has to be named by whoever runs it. */
function refuseUnnamedCode(
  out: string,
  saved: TrainValues,
  origins: Record<keyof TrainValues, Origin>,
): void {
  const unnamed = ownCodeOf(saved).find((key) => origins[key] !== "flag" && origins[key] !== "config");
  if (unnamed === undefined) return;
  throw new UserError(
    `Cannot resume ${out}: its config.toml names own code, --${unnamed} ${
      shown(saved[unnamed])
    }, which has to be named again`,
    `if it is yours, go on with: ${resumeCommand(out, saved)}`,
  );
}
