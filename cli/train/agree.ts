import { sha256OfText } from "../../model/files/sha256_of.ts";
import { refuseDifferent } from "../../rl/cluster/refuse_different.ts";
import { describeKind } from "../../rl/workers/result.ts";
import { ALONE } from "../../rl/cluster/learners.ts";
import { questionsOf } from "../../rl/trainer.ts";
import { OWN_VERSION } from "../facts/own_version.ts";
import { dashed } from "../settings/dashed.ts";
import { shown } from "../settings/shown.ts";
import type { PreparedTraining } from "./prepare_training.ts";
import type { TrainValues } from "./train_settings.ts";

/**
 * Holds what learners are to train with against each other.
 * @throws UserError on all of them if they differ in version, settings, model, data or kind of device
 */
export async function agree(
  { out: _, ...values }: TrainValues,
  { trainer, state, hash }: PreparedTraining,
): Promise<void> {
  const { learners = ALONE } = trainer;
  if (learners.size === 1) return;
  const questions = [1, 2, 3].flatMap((step) => questionsOf(trainer, step));
  await refuseDifferent(learners, {
    version: OWN_VERSION,
    ...Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`--${dashed(key)}`, shown(value)]),
    ),
    "the model's SHA-256": hash(),
    "the data's SHA-256": sha256OfText(JSON.stringify(questions)),
    device: describeKind(state.kernels),
  });
}
