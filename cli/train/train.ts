import { withGpu } from "../vulkan/with_gpu.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { reopenRun } from "../../rl/run/run.ts";
import { refuseLoneSystem } from "../defaults/prompt_values.ts";
import { defineCommand } from "../settings/define_command.ts";
import { findRecipe } from "../settings/find_recipe.ts";
import { flags, ownCodeFlags } from "../settings/flags.ts";
import { flag, integer } from "../settings/setting.ts";
import { Interrupted, refuseOrphan, watchInterrupt } from "../terminal/interrupt.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { agree } from "./agree.ts";
import { beginRun } from "./begin_run.ts";
import { describeRun, type RunResult } from "./describe_run.ts";
import { openWorkers, workersFlags } from "../worker/worker_flags.ts";
import type { WorkerPool } from "../../rl/workers/worker_pool.ts";
import { explainEnd } from "./explain_end.ts";
import { keptOf } from "./kept_of.ts";
import { firstAlone } from "./first_alone.ts";
import { joinJob, type LearnerJob } from "./learner_job.ts";
import { newValues } from "./new_values.ts";
import { prepareTraining } from "./prepare_training.ts";
import { profileOf } from "./profile_report.ts";
import { type Besides, resumeCommand, resumedValues } from "./resumed_values.ts";
import { startLearners } from "./start_learners.ts";
import { testBefore, testBest, testModes } from "./test_modes.ts";
import { toldByLearner } from "./told_by_learner.ts";
import { trainSettings, type TrainValues } from "./train_settings.ts";
import { trainWatched } from "./train_watched.ts";
import { say } from "../terminal/print.ts";

const several = "Several GPUs or machines";

const settings = {
  ...trainSettings,
  resume: flags.resume,
  ...ownCodeFlags,
  profile: flag(
    "Time every kernel; tell at the end, and in the run's profile.json, where the time went, and how long the GPU was idle",
  ),
  learners: integer("Processes that train together by mpirun, each with its share of the questions", {
    min: 1,
    max: 4096,
    defaultText: "1, or as many as mpirun or srun started",
    placeholder: "N",
    group: several,
  }),
  shardOptimizer: flag("Each of several learners keeps its share of the optimizer's moments alone (ZeRO 1)", {
    group: several,
  }),
  ...workersFlags,
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
    ["Eight GPUs of this machine", "softcot train --learners 8 --questions 16"],
  ],
  async run(
    { resume, profile, allowOwn, rewardTimeout: seconds, learners, shardOptimizer, ...asked },
    { origins, quiet, print },
  ) {
    if ((learners ?? 1) > 1 && launched() === undefined) {
      Deno.exitCode = await startLearners(learners!);
      return;
    }
    const { workers, workersOnly, serveWeights, creds, tlsCa, tlsCert, tlsKey, ...given } = asked;
    if (!resume) refuseLoneSystem(given);
    const job = await joinJob(learners);
    await job.together(() =>
      withGpu(async (gpu) => {
        const rewardTimeout = origins.rewardTimeout === "default" ? undefined : seconds;
        const workersAsked = { workers, workersOnly, serveWeights, creds, tlsCa, tlsCert, tlsKey };
        const besides = { shardOptimizer, allowOwn, rewardTimeout, workersAsked };
        const values = resume
          ? resumedValues(given, origins, { ...besides, learners: job.learners.size })
          : await newValues(given, origins);
        const isFirst = job.learners.rank === 0;
        const options = { resume, quiet: quiet || !isFirst, ...besides };
        await using pool = await openWorkers(workersAsked, (line) => {
          const told = toldByLearner(job.learners.rank, line);
          if (!quiet && told !== undefined) say(told);
        });
        const result = await trainAndTest(gpu, values, job, { ...options, pool });
        if (isFirst) print(result, () => describeRun(result));
      }, { profile })
    );
  },
});

/** A run from its folder to its tables: model, data and rollouts are made ready, then tests before, updates, tests after. */
async function trainAndTest(
  gpu: Gpu,
  values: TrainValues,
  job: LearnerJob,
  { resume, quiet, pool, ...besides }:
    & { resume: boolean; quiet: boolean; shardOptimizer: boolean; pool?: WorkerPool }
    & Besides,
): Promise<RunResult> {
  const { learners } = job;
  const started = performance.now();
  const tell = (line: string) => quiet || say(line);
  tell(`device   ${toldAdapter(gpu.adapter)}${learners.size > 1 ? `, ${learners.size} learners` : ""}`);
  const isFirst = learners.rank === 0;
  if (resume) refuseOrphan();
  // The first says which checkpoint it is that all go on from.
  const own = isFirst && resume
    ? reopenRun(values.out!, values.saveEvery, values.sampleEvery > 0)
    : undefined;
  own?.notes.forEach((note) => tell(`warning  ${note}`));
  const [saved] = await learners.gather(own && { checkpoint: own.checkpoint, state: own.state });
  const reopened = own ?? saved;
  const parts = { learners, shardOptimizer: besides.shardOptimizer, pool, quiet };
  using prepared = await prepareTraining(gpu, values, reopened?.checkpoint, parts);
  const { trainer } = prepared;
  if (prepared.long > 0) {
    const what = values.longPrompts === "skip" ? "left out" : "cut in their middle";
    tell(
      `warning  the prompts of ${prepared.long} training questions are longer than the model's context leaves room for: ${what}`,
    );
  }
  await agree(values, prepared);
  if (!resume) refuseOrphan();
  const { run, state } = await beginRun(values, prepared, reopened, tell);
  const { folder } = run;
  const goOn = resumeCommand(folder, values, { ...besides, learners: learners.size });
  job.place = () => ({ kept: keptOf(folder, values), goOn });
  using interrupt = watchInterrupt(
    isFirst ? "Stopping after this update, then saving. Press Ctrl-C again to stop at once." : "",
  );
  const stopped = (what: string) => new Interrupted(isFirst ? `${what}. Go on with: ${goOn}` : "");
  const { signal } = interrupt;
  prepared.shared?.begin(folder, signal);
  const measure = (when: string) => testModes(trainer, values, state, signal, quiet, when);
  const alone = async <T>(work: () => Promise<T>) => await firstAlone(learners, work) ?? null;
  try {
    const before = await alone(() => testBefore(folder, state, () => measure("before"), tell));
    const updatesBegan = performance.now();
    const reached = await trainWatched(trainer, run, values, state, signal, quiet);
    const updates = { from: state.step + 1, to: reached.step };
    const profile = isFirst ? await profileOf(gpu, { folder, started: updatesBegan, updates }) : undefined;
    if (reached.step < values.steps) {
      throw stopped(
        reached.step > 0 ? `Saved step ${reached.step}` : "Stopped before the first update was done",
      );
    }
    const after = await alone(() => measure("after"));
    const best = await alone(() => testBest(trainer, folder, reached, () => measure("best")));
    const tests = { before, after, best };
    if (after) writeJson(`${folder}/tests.json`, tests);
    const seconds = (performance.now() - started) / 1000;
    const made = reached.step - state.step;
    const result = { run: folder, steps: reached.step, made, best: reached.best, seconds, tests };
    return profile ? { ...result, profile } : result;
  } catch (error) {
    if ((error as Error).name === "AbortError") throw stopped("Stopped during a test");
    throw await explainEnd(error, gpu, { folder, values, planned: prepared.planned, goOn });
  } finally {
    run.close();
  }
}
