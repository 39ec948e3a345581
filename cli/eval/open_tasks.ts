import { ValidationError } from "@cliffy/command";
import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import type { Mode } from "../../eval/modes.ts";
import type { Task } from "../../eval/task.ts";
import { openAnyTask, taskEntry } from "../../eval/tasks/open_task.ts";
import { UNTRAINED_WAYS } from "../../model/thinking/ways.ts";
import { dashed } from "../settings/dashed.ts";
import type { Context } from "../settings/define_command.ts";
import type { Origin } from "../settings/resolve_config.ts";
import type { evalSettings, EvalValues } from "./eval_settings.ts";

/** The tasks that are asked for: arguments, else that of the config file. */
export const askedTasks = (
  { args, config }: Pick<Context<typeof evalSettings>, "args" | "config">,
): string[] => args.length > 0 ? args : [String(config.task ?? "sums")];

/**
 * Opens the tasks that are named, by arguments or else by the config file, and refuses what does not go with them.
 *
 * @throws ValidationError (wrong usage) if a task is named twice or a flag has no place
 * @throws UserError if a task or its data are not there
 */
export async function openTasks(
  { data, split, seed, mode, topK, topP, minP, tau }: EvalValues,
  context: Context<typeof evalSettings>,
): Promise<(Task | ChoiceTask)[]> {
  const names = askedTasks(context);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new ValidationError(`The task ${twice} is named twice.`);
  const entries = await Promise.all(names.map((name) => taskEntry(name)));
  if (entries.every(({ kind }) => kind === "choice")) refuseThinking(names[0], context.origins);
  const filters = [topK, topP, minP].some((value) => value !== undefined);
  if (filters && !FILTERED.some((one) => mode.includes(one))) {
    throw new ValidationError(
      "--top-k, --top-p and --min-p choose among tokens that are drawn, or mixed: one of the modes " +
        `${FILTERED.join(", ")} is needed.`,
    );
  }
  if (tau !== undefined && context.origins.tau === "flag" && mode.every((one) => one === "hard-greedy")) {
    throw new ValidationError(
      "--tau is the temperature of what is drawn or mixed: hard-greedy would take no notice of it.",
    );
  }
  const tasks: (Task | ChoiceTask)[] = [];
  for (const name of names) tasks.push(await openAnyTask(name, { data, split, seed }));
  return tasks;
}

/** Modes that heed --top-k, --top-p and --min-p. */
const FILTERED: readonly Mode[] = ["hard-sample", ...UNTRAINED_WAYS];

const THINKING = [
  "mode",
  "samples",
  "gamma",
  "tau",
  "show",
  "maxThinking",
  "answerTokens",
  "chatTemplate",
  "system",
  "topK",
  "topP",
  "minP",
];

/**
 * Refuses flags and values of a config file that say how to think, to answer or to ask: a choice task is scored without
 * any of it. Beside a task that is answered in text they are that task's alone.
 *
 * @throws ValidationError (wrong usage) if there is one
 */
function refuseThinking(task: string, origins: Readonly<Record<string, Origin>>): void {
  const given = THINKING.find((key) => origins[key] === "flag" || origins[key] === "config");
  if (given === undefined) return;
  const what = origins[given] === "flag"
    ? `Option "--${dashed(given)}" does`
    : `The value ${dashed(given)} of the config file does`;
  throw new ValidationError(
    `${what} not go with ${task}: its choices are scored as they are, without thinking or a chat template.`,
  );
}
