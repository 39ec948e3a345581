import { constantRate } from "../../../cli/bench/constant_rate.ts";
import type { TrainSettings } from "../../../rl/trainer.ts";

/** Settings of updates at a rate of 0, each in one micro-batch, but for what is said otherwise. */
export const trainSettings = (
  changes: Partial<TrainSettings> & Pick<TrainSettings, "questions" | "group">,
): TrainSettings => ({
  ...constantRate(0),
  seed: 0,
  clipStep: 0,
  thinkingWeight: 1,
  recompute: false,
  microRows: 8192,
  ...changes,
});
