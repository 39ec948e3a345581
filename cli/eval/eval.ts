import { ValidationError } from "@cliffy/command";
import type { ChoiceRecord } from "../../eval/choices/choice_result.ts";
import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import { checkResultsPlace, openResults, type ResultsFolder } from "../../eval/results/results_folder.ts";
import type { Task } from "../../eval/task.ts";
import { openAnyTask, taskEntry } from "../../eval/tasks/open_task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { choice, integer, path, type Values } from "../settings/setting.ts";
import { defaultGamma } from "../defaults/default_gamma.ts";
import { promptValues } from "../defaults/prompt_values.ts";
import { type Context, defineCommand } from "../settings/define_command.ts";
import { evalCheckCommand } from "./eval_check.ts";
import { type ChoiceReport, choiceSettings, measureChoices, refuseThinking } from "./measure_choices.ts";
import { describeChoices } from "./describe_choices.ts";
import { describePlan, type GenerationPlan, planGeneration, settingsOf } from "./plan_generation.ts";
import type { EvaluationReport } from "./evaluation_report.ts";
import { measureGeneration } from "./measure_generation.ts";
import { describeEvaluation } from "./describe_evaluation.ts";
import type { Facts } from "../loading/facts.ts";
import { flags } from "../settings/flags.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { loadWatched } from "../loading/load_watched.ts";

const settings = {
  model: flags.model,
  adapter: flags.adapter,
  weights: flags.weights,
  data: flags.data,
  mode: flags.mode,
  samples: flags.samples,
  split: choice(["test", "validation", "train"], "Which problems", { default: "test" }),
  limit: flags.limit,
  shots: integer("Solved examples before each question, training questions chosen by the seed", {
    default: 0,
    min: 0,
    max: 64,
  }),
  chatTemplate: flags.chatTemplate,
  system: flags.system,
  topK: flags.topK,
  topP: flags.topP,
  minP: flags.minP,
  gamma: { ...flags.gamma, defaultText: "that of the run or of the task's recipe, else 0.33" },
  maxThinking: { ...flags.maxThinking, default: undefined, defaultText: "the task's" },
  answerTokens: { ...flags.answerTokens, default: undefined, defaultText: "the task's" },
  batchRows: integer("Rollouts at once, fewer where memory asks for it; no result depends on it", {
    default: 256,
    min: 1,
    max: 65536,
  }),
  seed: flags.seed,
  out: path("Folder for the results; the same command goes on with what is there", {
    placeholder: "dir",
    short: "o",
  }),
};

type EvalValues = Values<typeof settings>;
type Report = EvaluationReport | ChoiceReport;

/** `softcot eval`: tasks in up to six inference modes, and tasks of choices. */
export const evalCommand = defineCommand({
  description: `Measure how well a model solves tasks, in up to six ways of thinking.

Hard thinking writes tokens; soft thinking feeds mixtures of all tokens, fuzzy thinking mixtures that are nearly one \
token. Each is run greedily, once a question, and with chance; the answer is always greedy. Shown are the share of right \
answers with its standard error (in sampled modes pass@1 over all samples), pass@k, and what the thinking was like. Tasks \
of choices are scored without thinking: accuracy, by characters too, and the right choice's negative log-likelihood.

With --out every rollout is kept as it ends, and a run that was stopped or killed goes on when the same command is \
given again: its result is that of a run never stopped.`,
  arguments: [[
    "[tasks...:string]",
    `what to ask: ${TASKS.map(({ name }) => name).join(", ")}, or the file of a task (default: sums)`,
  ]],
  settings,
  examples: [
    ["The embedded model on the embedded task", "softcot eval"],
    ["A trained run, with pass@32", "softcot eval sums --model runs/sums-soft --samples 32"],
    [
      "Two tasks in one mode, every rollout kept",
      "softcot eval gsm8k math-500 --mode hard-greedy --out results",
    ],
    [
      "The first 20 questions of a file",
      "softcot eval gsm8k --data test.jsonl --limit 20 --mode soft-greedy",
    ],
  ],
  async run(values, context) {
    const given = { ...values, model: modelOrBase(values, context.origins) };
    const tasks = await openTasks(given, context);
    if (given.out !== undefined) checkResultsPlace(given.out);
    using watch = watchInterrupt("Stopping, what has ended is kept. Press Ctrl-C again to stop at once.");
    const gpu = await openGpu();
    try {
      const say = (line: string) => context.quiet || console.error(line);
      say(`device   ${gpu.adapter.name}`);
      const shown = given.adapter === undefined ? given.model : `${given.model} with ${given.adapter}`;
      const { found, facts } = await loadWatched(gpu, given.model, given, { shown, quiet: context.quiet });
      say(
        `model    ${shown}: ${
          facts.model.parameters.toLocaleString("en")
        } parameters, ${found.weights} weights`,
      );
      const plans = await planAll(found, tasks, facts, given, context);
      for (const { line } of plans) say(`task     ${line}`);
      using results = given.out === undefined ? undefined : openResults(given.out, {
        model: facts.model.hash,
        embeddingRms: facts.model.embeddingRms,
        weights: found.exact ? "exact" : found.weights,
        device: facts.device.name,
        softcot: facts.versions.softcot,
        ...Object.assign({}, ...plans.map(({ settings }) => settings)),
      });
      const reports: Report[] = [];
      for (const plan of plans) {
        reports.push(await plan.measure(results, watch.signal));
        // A task's table is worth its time even if a later task fails.
        if (!context.json) console.log(`${reports.length > 1 ? "\n\n" : ""}${describe(reports.at(-1)!)}`);
      }
      const report = reports.length === 1 ? reports[0] : reports;
      results?.finish(report);
      if (context.json) context.print(report, () => "");
    } finally {
      gpu.close();
    }
  },
});

evalCommand.command("check", evalCheckCommand);

/** Opens the tasks that are named, and refuses what does not go with them. */
async function openTasks(
  { data, split, seed, mode, topK, topP, minP }: EvalValues,
  { args, origins }: Context<typeof settings>,
): Promise<(Task | ChoiceTask)[]> {
  const names = args.length > 0 ? args : ["sums"];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new ValidationError(`The task ${twice} is named twice.`);
  const entries = await Promise.all(names.map(taskEntry));
  if (entries.every(({ kind }) => kind === "choice")) refuseThinking(names[0], origins);
  if ([topK, topP, minP].some((value) => value !== undefined) && !mode.includes("hard-sample")) {
    throw new ValidationError(
      "--top-k, --top-p and --min-p choose among tokens that are drawn: the mode hard-sample is needed.",
    );
  }
  const tasks: (Task | ChoiceTask)[] = [];
  for (const name of names) tasks.push(await openAnyTask(name, { data, split, seed }));
  return tasks;
}

/** A task that is ready to be measured. */
interface Plan {
  /** What is asked, for people. */
  line: string;
  /** What decides its results. */
  settings: Record<string, unknown>;
  measure(results: ResultsFolder | undefined, signal: AbortSignal): Promise<Report>;
}

async function planAll(
  found: FoundModel,
  tasks: readonly (Task | ChoiceTask)[],
  facts: Facts,
  values: EvalValues,
  context: Context<typeof settings>,
): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (const task of tasks) {
    plans.push(
      task.kind === "choice"
        ? planChoices(found, task, facts, values, context)
        : await planTask(found, task, facts, values, context),
    );
  }
  return plans;
}

/** With what the task and the model's run say where nobody else does. */
async function planTask(
  found: FoundModel,
  task: Task,
  facts: Facts,
  values: EvalValues,
  { origins, quiet }: Context<typeof settings>,
): Promise<Plan> {
  const trained = values.adapter ?? values.model;
  const known = origins.gamma === "default" ? defaultGamma(trained, task.name) : undefined;
  const run = {
    ...values,
    ...promptValues({ ...values, model: trained }, origins),
    modes: values.mode,
    filters: { topK: values.topK, topP: values.topP, minP: values.minP },
    gamma: known ?? values.gamma,
    maxThinking: values.maxThinking ?? task.limits.maxThinkingEval,
    answerTokens: values.answerTokens ?? task.limits.answerTokens,
  };
  const plan: GenerationPlan = await planGeneration(found, task, facts, run, (line) => {
    if (!quiet) console.error(line);
  });
  return {
    line: describePlan(found, plan),
    settings: settingsOf(plan),
    measure: (results, signal) => measureGeneration(found, plan, results, signal, quiet),
  };
}

function planChoices(
  found: FoundModel,
  task: ChoiceTask,
  facts: Facts,
  values: EvalValues,
  { quiet }: Context<typeof settings>,
): Plan {
  return {
    line: describeChoicePlan(task, values),
    settings: choiceSettings(task, values),
    async measure(results, signal) {
      using records = results?.records<ChoiceRecord>(task.name);
      return await measureChoices(found, task, facts, { ...values, records, signal, quiet });
    },
  };
}

function describeChoicePlan(task: ChoiceTask, { split, limit, shots }: EvalValues): string {
  const questions = Math.min(limit ?? Infinity, task.size(split));
  return `${task.name}: ${questions} ${split} question${questions === 1 ? "" : "s"} of choices` +
    (shots > 0 ? `, ${shots} shot${shots === 1 ? "" : "s"}` : "");
}

const describe = (report: Report): string =>
  "modes" in report ? describeEvaluation(report) : describeChoices(report);
