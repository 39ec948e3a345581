import type { HalfCopy } from "../../../model/weights/half_copy.ts";
import { type LocalRollouts, localRollouts } from "../../../rl/local_rollouts.ts";
import { createTrainer, type Trainer } from "../../../rl/trainer.ts";

/**
 * A trainer whose rollouts are made in this process.
 *
 * @param copy makes the rollouts where there is one, instead of the model
 */
export function localTrainer(
  { copy, readBehind, ...parts }:
    & Omit<Trainer, "source" | "grads" | "optimizer">
    & Pick<LocalRollouts, "readBehind">
    & { copy?: HalfCopy },
): Trainer {
  const { settings: { group, seed } } = parts;
  const from = { model: copy?.model ?? parts.model, refresh: copy?.refresh, group, seed, readBehind };
  return createTrainer({ ...parts, source: localRollouts({ ...parts, ...from }) });
}
