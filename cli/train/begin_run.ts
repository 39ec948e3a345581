import { UserError } from "../../gpu/errors.ts";
import { ALONE } from "../../rl/cluster/learners.ts";
import { loadCheckpoint } from "../../rl/run/load_checkpoint.ts";
import { createRun, type Reopened, type Run } from "../../rl/run/run.ts";
import type { Trainer } from "../../rl/trainer.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { logTensorboard } from "../../rl/run/tensorboard/log_tensorboard.ts";
import { MOST_RATIO } from "../../model/thinking/importance.ts";
import { toToml } from "../settings/config_file.ts";
import { counted } from "../terminal/counted.ts";
import { describeTrainingData } from "./describe_training_data.ts";
import { firstPrompt } from "./first_prompt.ts";
import { keepHeldOut } from "./keep_held_out.ts";
import { keepShape } from "./keep_shape.ts";
import { lengthenRun } from "./resumed_values.ts";
import { claimRunFolder } from "./run_folder.ts";
import type { PreparedTraining } from "./prepare_training.ts";
import type { TrainValues } from "./train_settings.ts";

/**
 * Begins a run that is made ready, in a new folder, or goes on with the one that was reopened; says where and with what.
 *
 * @param prepared the trainer, which a checkpoint's weights, moments and step are loaded into
 * Of several learners the first opens the run; the others are told where it is.
 * @param say told each line
 * @returns the run, and the state that it stands at
 * @throws UserError if the folder cannot be used, or what a checkpoint was made with is not what is there now
 */
export async function beginRun(
  values: TrainValues,
  { trainer, state: fresh }: PreparedTraining,
  reopened: Pick<Reopened, "checkpoint" | "state"> & { run?: Run } | undefined,
  say: (line: string) => void,
): Promise<{ run: Run; state: RunState }> {
  const { learners = ALONE } = trainer;
  const own = learners.rank === 0 ? openRun(values, trainer, reopened?.run) : undefined;
  const [folder] = await learners.gather(own?.folder ?? "");
  const run = own ?? noRun(folder);
  const state = reopened?.checkpoint ? loadCheckpoint(reopened.checkpoint, trainer, reopened.state) : fresh;
  compareStates(state, fresh, folder, say);
  const logged = own && values.log === "tensorboard" ? logTensorboard(run, values, state.step) : run;
  say(`run      ${folder}${reopened ? `, from step ${state.step}` : ""}`);
  if (own && reopened) lengthenRun(folder, values, trainer.settings, state.step).forEach(say);
  say(`look     softcot view ${folder}`);
  say(
    `task     ${values.task}: ${values.questions} questions x ${values.group} rollouts an update, ` +
      `${values.thinking} thinking of at most ${values.maxThinking} tokens`,
  );
  if (values.staleness > 0) {
    say(
      `policy   rollouts are made with the weights of ${
        counted(values.staleness, "update")
      } before: off-policy, ` +
        `weighed by importance ratios up to ${MOST_RATIO}`,
    );
  }
  describeTrainingData(trainer.task).forEach(say);
  say(`prompt   ${await firstPrompt(trainer)}`);
  if (reopened && state.step >= values.steps) say("nothing is left to train: the run is complete");
  return { run: logged, state };
}

function openRun(values: TrainValues, trainer: Trainer, reopened: Run | undefined): Run {
  const folder = reopened?.folder ?? values.out ??
    claimRunFolder(`runs/${trainer.task.name}-${values.thinking}`);
  const run = reopened ?? createRun(folder, toToml({ ...values, out: folder }));
  keepHeldOut(folder, trainer.task);
  keepShape(folder, trainer.model.config);
  return run;
}

/** The first of several learners writes the run; the others know where it is. */
const noRun = (folder: string): Run => ({ folder, appendMetrics() {}, appendSample() {}, close() {} });

/** Holds what a checkpoint was made with against what is there now. */
function compareStates(saved: RunState, now: RunState, folder: string, say: (line: string) => void): void {
  if (JSON.stringify(saved.forcedIds) !== JSON.stringify(now.forcedIds)) {
    throw new UserError(
      `Cannot resume ${folder}: its tokenizer writes the forced texts in other tokens than before`,
    );
  }
  if (saved.base && saved.base.hash !== now.base?.hash) {
    throw new UserError(
      `Cannot resume ${folder}: ${saved.base.name} is not the model that it began from (its SHA-256 differs), which --diagnose-every ` +
        "compares with",
    );
  }
  if (JSON.stringify(saved.kernels) !== JSON.stringify(now.kernels)) {
    say(
      `warning  the run was made on ${saved.kernels.adapter}: from here on its numbers will differ in the last bits`,
    );
  }
}
