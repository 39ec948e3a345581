import { generationEntry } from "../../eval/tasks/open_task.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { createRun, refuseNoRun, reopenRun, type Run } from "../../rl/run/run.ts";
import { loadCheckpoint } from "../../rl/run/load_checkpoint.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { type MetricsLine, train } from "../../rl/train.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { readConfigFile, toToml } from "../settings/config_file.ts";
import { resolveConfig } from "../settings/resolve_config.ts";
import { dashed } from "../settings/dashed.ts";
import { flag, type Values } from "../settings/setting.ts";
import { shown } from "../settings/shown.ts";
import { type Context, defineCommand } from "../settings/define_command.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { flags } from "../settings/flags.ts";
import { refuseLoneSystem } from "../defaults/prompt_values.ts";
import { keepHeldOut } from "./keep_held_out.ts";
import { withAdapterForm } from "./train_adapter.ts";
import { compareStates, prepareTraining } from "./prepare_training.ts";
import { type ProfileReport, profileReport } from "./profile_report.ts";
import { createProgress, type Progress } from "../terminal/progress.ts";
import { findRecipe } from "../settings/find_recipe.ts";
import { describeRun } from "./describe_run.ts";
import { describeSample } from "./describe_sample.ts";
import { trainSettings } from "./train_settings.ts";
import { testBefore, testBest, testModes } from "./test_modes.ts";
import { isTaken } from "../../model/files/on_disk.ts";

type TrainValues = Values<typeof trainSettings>;
const settings = {
  ...trainSettings,
  resume: flags.resume,
  profile: flag("Time every kernel; tell at the end where the time went, and how long the GPU was idle"),
};

/** `softcot train`: the method, end to end. */
export const trainCommand = defineCommand({
  description: `Train a model to think, by reinforcement.

Each update asks questions of the task, lets the model think in the chosen way and answer, rewards right answers, and \
makes what led to them more probable. Without flags it trains the embedded model on the embedded task with soft tokens: \
minutes on two cores, no GPU needed. The folder of the run holds all settings, metrics.jsonl, samples.jsonl and \
checkpoints, each an ordinary Hugging Face model.

The defaults shown are the paper's. The recipe of the task and the way of thinking sets others: softcot settings \
shows every value and where it comes from.`,
  settings,
  recipe: findRecipe,
  examples: [
    ["The embedded model and task, soft thinking", "softcot train"],
    ["Discrete tokens, another seed", "softcot train --thinking hard --seed 1"],
    ["Go on with a stopped run", "softcot train --resume --out runs/sums-soft"],
  ],
  async run({ resume, profile, ...values }, context) {
    if (!resume) refuseLoneSystem(values);
    using watch = watchInterrupt(
      "Stopping after this update, then saving. Press Ctrl-C again to stop at once.",
    );
    const gpu = await openGpu({ profile });
    try {
      const own = resume
        ? resumed(values, context)
        : withAdapterForm(await withTaskLimits(withBase(values, context), context), context.origins);
      await runTraining(gpu, own, resume, watch.signal, context);
    } finally {
      gpu.close();
    }
  },
});

type TrainContext = Context<typeof settings>;

/** The run's own settings; a flag may not change them. */
function resumed(values: TrainValues, { origins }: TrainContext): TrainValues {
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

/** Where only an adapter is given, the model is the one it was trained on. */
const withBase = (values: TrainValues, { origins }: TrainContext): TrainValues => ({
  ...values,
  model: modelOrBase(values, origins),
});

/** The task's own limits, where nobody sets others. */
async function withTaskLimits(values: TrainValues, { origins }: TrainContext): Promise<TrainValues> {
  const { limits, source } = await generationEntry(values.task);
  const { maxThinking, answerTokens, testQuestions } = values;
  return {
    ...values,
    testQuestions: source && origins.testQuestions === "default" ? 0 : testQuestions,
    maxThinking: origins.maxThinking === "default" ? limits.maxThinking : maxThinking,
    answerTokens: origins.answerTokens === "default" ? limits.answerTokens : answerTokens,
  };
}

async function runTraining(
  gpu: Gpu,
  values: TrainValues,
  resume: boolean,
  signal: AbortSignal,
  context: TrainContext,
): Promise<void> {
  const started = performance.now();
  const say = (line: string) => context.quiet || console.error(line);
  const { name } = await generationEntry(values.task);
  const folder = values.out ?? freeFolder(`runs/${name}-${values.thinking}`);
  say(`device   ${gpu.adapter.name}`);
  const reopened = resume ? reopenRun(folder) : undefined;
  using prepared = await prepareTraining(gpu, values, reopened?.checkpoint);
  const { trainer, state: fresh } = prepared;
  const run = reopened?.run ?? createRun(folder, toToml({ ...values, out: folder }));
  keepHeldOut(folder, trainer.task);
  const state = reopened?.checkpoint ? loadCheckpoint(reopened.checkpoint, trainer) : fresh;
  compareStates(state, fresh, folder, say);
  say(`run      ${folder}${resume ? `, from step ${state.step}` : ""}`);
  say(
    `task     ${values.task}: ${values.questions} questions x ${values.group} rollouts an update, ` +
      `${values.thinking} thinking of at most ${values.maxThinking} tokens`,
  );
  if (resume && state.step >= values.steps) say("nothing is left to train: the run is complete");
  const goOn = `Go on with: softcot train --resume --out ${folder}`;
  const measure = (when: string) => testModes(trainer, values, state, signal, context.quiet, when);
  try {
    const before = await testBefore(folder, state, () => measure("before"));
    const trainingStarted = performance.now();
    const reached = await runSteps(trainer, run, values, state, signal, context);
    if (signal.aborted && reached.step < values.steps) {
      throw new Interrupted(`Saved step ${reached.step}. ${goOn}`);
    }
    const profile = await profileOf(gpu, trainingStarted);
    const after = await measure("after");
    const best = await testBest(trainer, folder, reached, () => measure("best"));
    const seconds = (performance.now() - started) / 1000;
    const result = {
      run: folder,
      steps: reached.step,
      best: reached.best,
      seconds,
      tests: { before, after, best },
      ...(profile ? { profile } : {}),
    };
    if (after) writeJson(`${folder}/tests.json`, result.tests);
    context.print(result, () => describeRun(result));
  } catch (error) {
    if ((error as Error).name === "AbortError") throw new Interrupted(`Stopped during a test. ${goOn}`);
    throw error;
  } finally {
    run.close();
  }
}

async function runSteps(
  trainer: Trainer,
  run: Run,
  values: TrainValues,
  state: RunState,
  signal: AbortSignal,
  { quiet }: TrainContext,
): Promise<RunState> {
  using progress = createProgress({ label: "train", total: values.steps, start: state.step, quiet });
  return await train(trainer, run, values, state, {
    signal,
    onStep: (line) => showStep(progress, line),
    onSample: (sample) => progress.log(describeSample(sample)),
  });
}

function showStep(progress: Progress, line: MetricsLine): void {
  progress.update(line.step, {
    reward: line.reward.toFixed(1),
    accuracy: line.accuracy.toFixed(2),
    thinking: line.thinking_tokens.toFixed(1),
    ...(line.validation_accuracy === undefined ? {} : { validation: line.validation_accuracy.toFixed(3) }),
  });
}

/** Where the time of the training went, if that was asked for. */
async function profileOf({ profile }: Gpu, started: number): Promise<ProfileReport | undefined> {
  if (!profile.on) return undefined;
  const seconds = (performance.now() - started) / 1000;
  const kernels = (await profile.report()).filter(({ phase }) => phase !== "");
  return profileReport(kernels, seconds);
}

/** The name itself, or with the first number that is free. */
function freeFolder(name: string): string {
  for (let n = 1;; n++) {
    const folder = n === 1 ? name : `${name}-${n}`;
    if (!isTaken(folder)) return folder;
  }
}
