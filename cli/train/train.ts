import { withGpu } from "../vulkan/with_gpu.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { reopenRun } from "../../rl/run/run.ts";
import { refuseLoneSystem } from "../defaults/prompt_values.ts";
import { defineCommand } from "../settings/define_command.ts";
import { findRecipe } from "../settings/find_recipe.ts";
import { flags } from "../settings/flags.ts";
import { flag } from "../settings/setting.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { beginRun } from "./begin_run.ts";
import { describeRun, type RunResult } from "./describe_run.ts";
import { explainEnd } from "./explain_end.ts";
import { newValues } from "./new_values.ts";
import { prepareTraining } from "./prepare_training.ts";
import { profileOf } from "./profile_report.ts";
import { resumeCommand, resumedValues } from "./resumed_values.ts";
import { testBefore, testBest, testModes } from "./test_modes.ts";
import { trainSettings, type TrainValues } from "./train_settings.ts";
import { trainWatched } from "./train_watched.ts";
import { say } from "../terminal/print.ts";

const settings = {
  ...trainSettings,
  resume: flags.resume,
  allowOwn: flags.allowOwn,
  profile: flag(
    "Time every kernel; tell at the end, and in the run's profile.json, where the time went, and how long the GPU was idle",
  ),
};

/** `softcot train`: the method, end to end. */
export const trainCommand = defineCommand({
  description: `Train a model to think, by reinforcement.

Each update asks questions of the task, lets the model think in the chosen way and answer, rewards right answers, and \
makes what led to them more probable. Without flags it trains the embedded model on the embedded task with soft tokens: \
minutes on two cores, no GPU needed. The folder of the run holds all settings, metrics.jsonl, samples.jsonl and \
checkpoints, each an ordinary Hugging Face model.

The defaults shown are the paper's. The recipe of the task sets others: softcot settings \
shows every value and where it comes from.`,
  settings,
  opensDevice: true,
  recipe: findRecipe,
  examples: [
    ["The embedded model and task, soft thinking", "softcot train"],
    ["Discrete tokens, another seed", "softcot train --thinking hard --seed 1"],
    ["Go on with the last run", "softcot train --resume"],
    ["Go on with a run that is finished", "softcot train --resume --out runs/sums-soft --steps 200"],
  ],
  async run({ resume, profile, allowOwn: _, ...given }, { origins, quiet, print }) {
    if (!resume) refuseLoneSystem(given);
    await withGpu(async (gpu) => {
      const values = resume ? resumedValues(given, origins) : await newValues(given, origins);
      const result = await trainAndTest(gpu, values, resume, quiet);
      print(result, () => describeRun(result));
    }, { profile });
  },
});

/** A run from its folder to its tables: model, data and rollouts are made ready, then tests before, updates, tests after. */
async function trainAndTest(
  gpu: Gpu,
  values: TrainValues,
  resume: boolean,
  quiet: boolean,
): Promise<RunResult> {
  const started = performance.now();
  const tell = (line: string) => quiet || say(line);
  tell(`device   ${toldAdapter(gpu.adapter)}`);
  const reopened = resume ? reopenRun(values.out!, values.saveEvery) : undefined;
  reopened?.notes.forEach((note) => tell(`warning  ${note}`));
  using prepared = await prepareTraining(gpu, values, reopened?.checkpoint);
  const { trainer } = prepared;
  const { run, state } = beginRun(values, prepared, reopened, tell);
  const { folder } = run;
  using interrupt = watchInterrupt(
    "Stopping after this update, then saving. Press Ctrl-C again to stop at once.",
  );
  const { signal } = interrupt;
  const goOn = `Go on with: ${resumeCommand(folder, values)}`;
  const measure = (when: string) => testModes(trainer, values, state, signal, quiet, when);
  try {
    const before = await testBefore(folder, state, () => measure("before"), tell);
    const updatesBegan = performance.now();
    const reached = await trainWatched(trainer, run, values, state, signal, quiet);
    const updates = { from: state.step + 1, to: reached.step };
    const profile = await profileOf(gpu, { folder, started: updatesBegan, updates });
    if (signal.aborted && reached.step < values.steps) {
      throw new Interrupted(`Saved step ${reached.step}. ${goOn}`);
    }
    const after = await measure("after");
    const best = await testBest(trainer, folder, reached, () => measure("best"));
    const tests = { before, after, best };
    if (after) writeJson(`${folder}/tests.json`, tests);
    const seconds = (performance.now() - started) / 1000;
    const result = { run: folder, steps: reached.step, best: reached.best, seconds, tests };
    return profile ? { ...result, profile } : result;
  } catch (error) {
    if ((error as Error).name === "AbortError") throw new Interrupted(`Stopped during a test. ${goOn}`);
    throw await explainEnd(error, gpu, { folder, values, planned: prepared.planned });
  } finally {
    run.close();
  }
}
