import type { HalfCopy } from "../../../model/weights/half_copy.ts";
import { type LocalRollouts, localRollouts } from "../../../rl/local_rollouts.ts";
import { actorOf, createTrainer, type Trainer } from "../../../rl/trainer.ts";

/**
 * A trainer whose rollouts are made in this process, or by whom `run` gives them to.
 *
 * @param copy makes the rollouts where there is one, instead of the model
 */
export function localTrainer(
  { copy, readBehind, run, begin, ...parts }:
    & Omit<Trainer, "source" | "grads" | "optimizer">
    & Pick<LocalRollouts, "readBehind" | "run" | "begin">
    & { copy?: HalfCopy },
): Trainer {
  const { settings: { group, seed } } = parts;
  const from = {
    ...{ model: copy?.model ?? actorOf(parts), refresh: copy?.refresh },
    ...{ group, seed, readBehind, run, begin },
  };
  return createTrainer({ ...parts, source: localRollouts({ ...parts, ...from }) });
}
