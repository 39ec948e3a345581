import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { UserError } from "../../gpu/errors.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { learningRate, type OptimizerSettings } from "../../rl/optimizer.ts";
import { refuseNoRun } from "../../rl/run/run.ts";
import { lastRun } from "../defaults/last_run.ts";
import { readConfigFile, toToml } from "../settings/config_file.ts";
import { dashed } from "../settings/dashed.ts";
import { refuseCut } from "../settings/refuse_cut.ts";
import { type Origin, resolveConfig } from "../settings/resolve_config.ts";
import { shellWord } from "../settings/shell_word.ts";
import { shown } from "../settings/shown.ts";
import { type WorkersValues, workersWords } from "../worker/worker_flags.ts";
import { trainSettings, type TrainValues } from "./train_settings.ts";

/**
 * The values of a run that goes on, the named one or the last in runs/: its own; a flag may not change them, but for more updates and what it is logged by.
 *
 * @param besides what the command line says that is no part of a run: a command that a person is told has it, too
 * @throws UserError if there is no run, a flag asks for something else, or the run used own code that is not named
 */
export function resumedValues(
  values: TrainValues,
  origins: Record<keyof TrainValues, Origin>,
  besides: Besides = {},
): TrainValues {
  const out = values.out ?? lastRun();
  if (out === undefined) {
    throw new UserError(
      "Cannot resume: no run is named, and none is in runs/",
      "name its folder: --resume --out FOLDER",
    );
  }
  refuseNoRun(out);
  const file = readConfigFile(`${out}/config.toml`);
  const saved = resolveConfig(trainSettings, { flags: {}, file });
  for (const key of Object.keys(trainSettings) as (keyof TrainValues)[]) {
    if (
      key === "out" || key === "log" || isLonger(key, values, saved, origins) ||
      shown(values[key]) === shown(saved[key])
    ) {
      continue;
    }
    const isCode = key === "task" || key === "reward";
    if (origins[key] !== "flag" && !(isCode && origins[key] === "config")) continue;
    throw new UserError(
      `Cannot resume ${out} with --${dashed(key)} ${shown(values[key])}: it runs with ${shown(saved[key])}`,
      "leave the flag out, or start a new run",
    );
  }
  const steps = isLonger("steps", values, saved, origins) ? values.steps : undefined;
  refuseUnnamedCode(out, saved, origins, { ...besides, steps });
  refuseCut(out, file);
  return { ...saved, log: values.log ?? saved.log, steps: steps ?? saved.steps, out };
}

/** Whether more updates are asked for than the run began with. */
const isLonger = (
  key: keyof TrainValues,
  asked: TrainValues,
  saved: TrainValues,
  origins: Record<keyof TrainValues, Origin>,
): boolean => key === "steps" && origins.steps === "flag" && asked.steps > saved.steps;

/**
 * What more updates do to a run that goes on: its schedule is stretched, and its folder says so from here on.
 *
 * @param reached updates done
 * @returns lines for people; none where the run has as many updates as before
 */
export function lengthenRun(
  folder: string,
  values: TrainValues,
  settings: OptimizerSettings,
  reached: number,
): string[] {
  const path = `${folder}/config.toml`;
  const { steps } = resolveConfig(trainSettings, { flags: {}, file: readConfigFile(path) });
  if (steps === values.steps) return [];
  writeWhole(path, toToml({ ...values, out: folder }));
  const rate = (steps: number, step: number) =>
    shown(Number(learningRate({ ...settings, steps }, step).toPrecision(3)));
  const last = Math.min(reached, steps);
  return [
    `steps    ${values.steps} in place of ${steps}: the learning rate, ${
      rate(steps, last)
    } at step ${last}, goes on with ` +
    `${rate(values.steps, reached + 1)} and falls to its end at step ${values.steps}`,
    `warning  this is not a run of ${values.steps} updates from the beginning, whose first ${reached} would have had the longer schedule's rates`,
  ];
}

/** What a command line says that is no part of a run, which may go on with other words: how many train together, and what own code may do. */
export interface Besides {
  /** Where more are asked for than it began with. */
  steps?: number;
  learners?: number;
  shardOptimizer?: boolean;
  allowOwn?: readonly string[];
  /** Where it was asked for. */
  rewardTimeout?: number;
  /** What was said of workers. */
  workersAsked?: Partial<WorkersValues>;
}

/**
 * How a run is gone on with: its folder, the own code that it used with what that was granted, which nobody but the command line may name,
 * and the device if one was chosen.
 */
export function resumeCommand(
  out: string,
  values: TrainValues,
  { steps, learners, shardOptimizer, allowOwn, rewardTimeout, workersAsked }: Besides = {},
): string {
  const word = (value: unknown) => shellWord(shown(value));
  const longer = steps === undefined ? "" : ` --steps ${steps}`;
  const named = ownCodeOf(values).map((key) => ` --${key} ${word(values[key])}`);
  if (allowOwn) named.push(` --allow-own ${word(allowOwn)}`);
  if (rewardTimeout !== undefined) named.push(` --reward-timeout ${shown(rewardTimeout)}`);
  const gpu = Deno.env.get("SOFTCOT_GPU");
  const together = (learners ?? 1) > 1
    ? ` --learners ${learners}${shardOptimizer ? " --shard-optimizer" : ""}`
    : gpu
    ? ` --gpu ${word(gpu)}`
    : "";
  const told = `softcot train --resume --out ${word(out)}${longer}${named.join("")}`;
  return `${told}${together}${workersWords(workersAsked)}`;
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
  besides: Besides,
): void {
  const unnamed = ownCodeOf(saved).find((key) => origins[key] !== "flag" && origins[key] !== "config");
  if (unnamed === undefined) return;
  throw new UserError(
    `Cannot resume ${out}: its config.toml names own code, --${unnamed} ${
      shown(saved[unnamed])
    }, which has to be named again`,
    `if it is yours, go on with: ${resumeCommand(out, saved, besides)}`,
  );
}
