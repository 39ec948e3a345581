import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import { wayOf } from "../../eval/modes.ts";
import { checkResultsPlace, openResults } from "../../eval/results/results_folder.ts";
import type { Task } from "../../eval/task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { withGpu } from "../vulkan/with_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { runNotes } from "../defaults/run_notes.ts";
import { loadWatched } from "./load_watched.ts";
import { type Context, defineCommand } from "../settings/define_command.ts";
import { refuseIdleMixing } from "../settings/refuse_idle_mixing.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { describeChoices } from "./describe_choices.ts";
import { describeEvaluation } from "./describe_evaluation.ts";
import { evalCheckCommand } from "./eval_check.ts";
import { serveModel } from "../../rl/workers/parcel.ts";
import { shareJobs } from "../../rl/workers/share_jobs.ts";
import { openWorkers } from "../worker/worker_flags.ts";
import { explainEnd } from "./explain_end.ts";
import { evalSettings, type EvalValues } from "./eval_settings.ts";
import { openTasks } from "./open_tasks.ts";
import { type EvalReport, planTasks, type TaskReport } from "./plan_tasks.ts";
import { countedRun } from "./workers_used.ts";
import { print, say } from "../terminal/print.ts";

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
    "[tasks...:string:task]",
    `what to ask: ${
      TASKS.map(({ name }) => name).join(", ")
    }, or the file of a task (default: that of the config file, else sums)`,
  ]],
  settings: evalSettings,
  opensDevice: true,
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
    refuseIdleMixing([...new Set(values.mode.map(wayOf))], context.origins, values.noiseOn);
    const given = { ...values, model: modelOrBase(values, context.origins) };
    const tasks = await openTasks(given, context);
    if (given.out !== undefined) checkResultsPlace(given.out);
    else if (given.keepMixtures > 0) {
      throw new UserError(
        "Cannot keep what steps were made of: it is kept with the results, a folder for them is needed",
        "name one: --out DIR",
      );
    }
    await withGpu(
      async (gpu) => {
        const report = await measureAll(gpu, tasks, given, context);
        if (context.json) context.print(report, () => "");
      },
      {},
      (error, gpu) => {
        const { out } = given;
        const goOn = out === undefined
          ? "start it again"
          : `what has ended is kept in ${out}: the same command goes on`;
        return explainEnd(error, gpu, { ...given, rowsFlag: "--batch-rows", goOn });
      },
    );
  },
});

evalCommand.command("check", evalCheckCommand);

/** Loads the model, makes all tasks ready, then measures them one after the other and writes each one's table. */
async function measureAll(
  gpu: Gpu,
  tasks: readonly (Task | ChoiceTask)[],
  values: EvalValues,
  context: Context<typeof evalSettings>,
): Promise<EvalReport> {
  const { quiet, json } = context;
  const tell = (line: string) => quiet || say(line);
  tell(`device   ${toldAdapter(gpu.adapter)}`);
  await using pool = await openWorkers(values, tell);
  const shown = values.adapter === undefined ? values.model : `${values.model} with ${values.adapter}`;
  const { found, facts } = await loadWatched(gpu, values.model, values, { shown, quiet });
  const parameters = facts.model.parameters.toLocaleString("en");
  tell(`model    ${shown}: ${parameters} parameters, ${found.weights} weights`);
  const { origins } = context;
  runNotes(values.adapter ?? values.model, { ...origins, task: "flag" }).forEach(tell);
  const plans = await planTasks(found, tasks, facts, values, context);
  const { model, adapter, weights } = values;
  using shared = pool && shareJobs(pool, {
    parcel: serveModel(pool.files, { name: model, adapter, weights, half: false }),
  });
  const counted = pool && shared && countedRun(shared.run, pool, gpu);
  for (const { line } of plans) tell(`task     ${line}`);
  using results = values.out === undefined ? undefined : openResults(values.out, {
    model: facts.model.hash,
    embeddingRms: facts.model.embeddingRms,
    weights: found.exact ? "exact" : found.weights,
    device: facts.device.name,
    softcot: facts.versions.softcot,
    ...Object.assign({}, ...plans.map(({ settings }) => settings)),
  });
  using interrupt = watchInterrupt("Stopping, what has ended is kept. Press Ctrl-C again to stop at once.");
  const reports: TaskReport[] = [];
  for (const plan of plans) {
    const measured = await plan.measure(results, interrupt.signal, counted?.run);
    const used = counted?.take();
    const report = used ? { ...measured, workers: used } : measured;
    reports.push(report);
    // A task's table is worth its time even if a later task fails.
    const parts = [describe(report), plan.texts?.() ?? ""].filter(Boolean);
    if (!json) print(`${reports.length > 1 ? "\n\n" : ""}${parts.join("\n\n")}`);
  }
  const report: EvalReport = { tasks: reports };
  results?.finish(report);
  return report;
}

const describe = (report: TaskReport): string =>
  "modes" in report ? describeEvaluation(report) : describeChoices(report);
