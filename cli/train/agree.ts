import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { sha256Of, sha256OfText } from "../../model/files/sha256_of.ts";
import { refuseDifferent } from "../../rl/cluster/refuse_different.ts";
import { describeKind } from "../../rl/workers/result.ts";
import { ALONE } from "../../rl/cluster/learners.ts";
import { rewardFiles } from "../../rl/reward.ts";
import { questionsOf } from "../../rl/trainer.ts";
import { OWN_VERSION } from "../facts/own_version.ts";
import { dashed } from "../settings/dashed.ts";
import { shown } from "../settings/shown.ts";
import type { PreparedTraining } from "./prepare_training.ts";
import type { TrainValues } from "./train_settings.ts";

/**
 * Holds what learners are to train with against each other.
 * @throws UserError on all of them if they differ in version, settings, model, data, own code or kind of device
 */
export async function agree(values: TrainValues, prepared: PreparedTraining): Promise<void> {
  const { learners = ALONE } = prepared.trainer;
  if (learners.size > 1) await refuseDifferent(learners, factsOf(values, prepared));
}

/** What has to be the same on all learners, by what it is called. */
export function factsOf(
  { out: _, ...values }: TrainValues,
  { trainer, state, hash }: Pick<PreparedTraining, "trainer" | "state" | "hash">,
): Record<string, string> {
  const questions = [1, 2, 3].flatMap((step) => questionsOf(trainer, step));
  const own = [...rewardFiles(values.reward ?? []), ...(isTaskFile(values.task) ? [values.task] : [])];
  return {
    version: OWN_VERSION,
    ...Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`--${dashed(key)}`, shown(value)]),
    ),
    "--shard-optimizer": shown("places" in trainer.optimizer),
    "the model's SHA-256": hash(),
    "the data's SHA-256": sha256OfText(JSON.stringify(questions)),
    ...Object.fromEntries(own.map((file) => [`the SHA-256 of ${file}`, sha256Of([file])])),
    device: describeKind(state.kernels),
  };
}
