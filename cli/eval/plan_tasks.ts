import type { ChoiceRecord } from "../../eval/choices/choice_result.ts";
import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import type { ResultsFolder } from "../../eval/results/results_folder.ts";
import type { Task } from "../../eval/task.ts";
import { wayOf } from "../../eval/modes.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import type { JobRunner } from "../../model/generation/generate_jobs.ts";
import { defaultGamma } from "../defaults/default_gamma.ts";
import { mixingValues } from "../defaults/mixing_values.ts";
import { promptValues } from "../defaults/prompt_values.ts";
import type { Facts } from "../facts/facts.ts";
import type { Context } from "../settings/define_command.ts";
import { counted } from "../terminal/counted.ts";
import type { evalSettings, EvalValues } from "./eval_settings.ts";
import { askedTasks } from "./open_tasks.ts";
import type { EvaluationReport } from "./evaluation_report.ts";
import { type ChoiceReport, choiceSettings, measureChoices } from "./measure_choices.ts";
import { measureGeneration } from "./measure_generation.ts";
import { createShownTexts } from "./shown_texts.ts";
import { describePlan, planGeneration, settingsOf } from "./plan_generation.ts";
import { say } from "../terminal/print.ts";

/** What measuring a task comes to. */
export type TaskReport = EvaluationReport | ChoiceReport;

/** What an evaluation came to, as it is printed with --json and kept in report.json. */
export interface EvalReport {
  /** In the order in which they were named. */
  tasks: TaskReport[];
}

/** A task that is ready to be measured. */
interface Plan {
  /** What is asked, for people. */
  line: string;
  /** What decides its results. */
  settings: Record<string, unknown>;
  measure(
    results: ResultsFolder | undefined,
    signal: AbortSignal,
    run: JobRunner | undefined,
  ): Promise<TaskReport>;
  /** Generated texts to be shown under its table; none of a choice task. */
  texts?(): string;
}

/**
 * Makes all tasks ready before the first is measured: what cannot be asked is known at once.
 * @throws UserError if a task cannot be asked so
 */
export async function planTasks(
  found: FoundModel,
  tasks: readonly (Task | ChoiceTask)[],
  facts: Facts,
  values: EvalValues,
  context: Context<typeof evalSettings>,
): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (const task of tasks) {
    plans.push(
      task.kind === "choice"
        ? planChoiceTask(found, task, facts, values, context)
        : await planGenerationTask(found, task, facts, values, context),
    );
  }
  return plans;
}

/** With what the task and the model's run say where nobody else does. */
async function planGenerationTask(
  found: FoundModel,
  task: Task,
  facts: Facts,
  values: EvalValues,
  context: Context<typeof evalSettings>,
): Promise<Plan> {
  const { origins, quiet } = context;
  const trained = values.adapter ?? values.model;
  const known = origins.gamma === "default" ? defaultGamma(trained, task.name) : undefined;
  const mixing = mixingValues(values, origins, values.mode.map(wayOf), trained);
  const run = {
    ...values,
    named: askedTasks(context),
    ...promptValues({ ...values, model: trained }, origins),
    modes: values.mode,
    filters: { topK: values.topK, topP: values.topP, minP: values.minP },
    ...(Object.keys(mixing).length > 0 ? { mixing } : {}),
    gamma: known ?? values.gamma,
    maxThinking: values.maxThinking ?? task.limits.maxThinkingEval,
    answerTokens: values.answerTokens ?? task.limits.answerTokens,
  };
  const texts = createShownTexts(values.show);
  const plan = await planGeneration(found, task, facts, run, (line) => {
    if (!quiet) say(line);
  });
  return {
    line: describePlan(found, plan),
    settings: named(task.name, settingsOf(plan)),
    measure: (results, signal, run) => measureGeneration(found, plan, { results, signal, quiet, texts, run }),
    texts: texts.describe,
  };
}

function planChoiceTask(
  found: FoundModel,
  task: ChoiceTask,
  facts: Facts,
  values: EvalValues,
  { quiet, origins }: Context<typeof evalSettings>,
): Plan {
  // As lm-evaluation-harness does it, whose results these are to be compared with.
  const longPrompts = origins.longPrompts === "default" ? "truncate" : values.longPrompts;
  return {
    line: describeChoicePlan(task, values),
    settings: named(task.name, choiceSettings(task, { ...values, longPrompts })),
    async measure(results, signal) {
      using records = results?.records<ChoiceRecord>(task.name);
      return await measureChoices(found, task, facts, { ...values, longPrompts, records, signal, quiet });
    },
  };
}

function describeChoicePlan(task: ChoiceTask, { split, limit, shots }: EvalValues): string {
  const questions = Math.min(limit ?? Infinity, task.size(split));
  return `${task.name}: ${counted(questions, `${split} question`)} of choices` +
    (shots > 0 ? `, ${counted(shots, "shot")}` : "");
}

/** Settings by the names that they have beside those of other tasks. */
const named = (task: string, settings: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${task} ${key}`, value]));
