import { UserError } from "../../gpu/errors.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import type { TrainValues } from "./train_settings.ts";

/** Ways whose action is the weights of a few tokens. */
const WEIGHTED: readonly Way[] = ["gumbel", "dirichlet", "covariance"];

/**
 * The way of thinking that a run trains.
 * @throws UserError for thinking that would never vary, and for what does not go together
 */
export function thinkingInTraining(values: TrainValues, embeddingRms: number): Thinking {
  const { thinking: way, gamma, width, antithetic, rolloutWeights } = values;
  const gaussian = way === "soft" || way === "fuzzy";
  if (gaussian && gamma === 0) {
    throw new UserError(
      `Cannot train ${way} thinking with --gamma 0: without noise there is nothing to learn from`,
    );
  }
  if (width === 1 && WEIGHTED.includes(way)) {
    throw new UserError(
      `Cannot train ${way} thinking with --width 1: the weight of a single token is 1 and never varies`,
    );
  }
  if (way === "multiplex" && rolloutWeights !== "f32") {
    throw new UserError(
      `Cannot train multiplex thinking with --rollout-weights ${rolloutWeights}: an update draws its tokens again, which rounded weights change`,
    );
  }
  if (antithetic) refusePairs(values, gaussian);
  return wayOfThinking(way, { ...values, greedy: false, embeddingRms });
}

/** @param gaussian whether the noise has an opposite */
function refusePairs({ thinking, advantage, group }: TrainValues, gaussian: boolean): void {
  if (!gaussian) {
    throw new UserError(
      `Cannot train ${thinking} thinking with --antithetic: only the noise of soft and fuzzy thinking has an opposite`,
    );
  }
  if (advantage !== "rloo" || group < 4 || group % 2 !== 0) {
    throw new UserError(
      `Cannot train with --antithetic, --advantage ${advantage} and --group ${group}: pairs are left out of each other's ` +
        "baseline, for which rloo and an even number of rollouts from 4 on are needed",
    );
  }
}
