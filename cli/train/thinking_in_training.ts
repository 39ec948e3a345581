import { UserError } from "../../gpu/errors.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { DRAWN_MIXTURES, type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import type { TrainValues } from "./train_settings.ts";

/** Ways whose action is the weights of a few tokens. */
const WEIGHTED: readonly Way[] = ["gumbel", "dirichlet", "covariance"];
const DRAWN: readonly Way[] = DRAWN_MIXTURES;

/**
 * The way of thinking that a run trains.
 * @throws UserError for thinking that would never vary, and for what does not go together: among it rollouts of older weights whose actions have
 * no ratio of densities
 */
export function thinkingInTraining(values: TrainValues, embeddingRms: number): Thinking {
  const { thinking: way, gamma, width, antithetic, noiseOn, rolloutWeights } = values;
  const noisy = way === "soft" || way === "fuzzy";
  const top = noisy && noiseOn === "top-logits";
  if (noisy && gamma === 0) {
    throw new UserError(
      `Cannot train ${way} thinking with --gamma 0: without noise there is nothing to learn from`,
    );
  }
  if (width === 1 && (WEIGHTED.includes(way) || top)) {
    throw new UserError(
      `Cannot train ${way} thinking${
        top ? " with --noise-on top-logits and" : " with"
      } --width 1: the weight of a single ` +
        "token is 1 and never varies",
    );
  }
  if (DRAWN.includes(way) && rolloutWeights !== "f32") {
    throw new UserError(
      `Cannot train ${way} thinking with --rollout-weights ${rolloutWeights}: an update draws its tokens again, which rounded weights change`,
    );
  }
  if (antithetic) refusePairs(values, noisy && noiseOn === "embedding");
  const thinking = wayOfThinking(way, { ...values, greedy: false, embeddingRms });
  if (values.staleness > 0 && !thinking.hasRatio) {
    const on = noisy ? ` and --noise-on ${noiseOn}` : "";
    throw new UserError(
      `Cannot train ${way} thinking with --staleness ${values.staleness}${on}: what an action's density was under older weights is not known`,
      "hard thinking, and soft and fuzzy thinking with noise on the embedding, can learn from older rollouts",
    );
  }
  return thinking;
}

/** @param gaussian whether the noise has an opposite */
function refusePairs({ thinking, noiseOn, advantage, group }: TrainValues, gaussian: boolean): void {
  if (!gaussian) {
    const on = noiseOn === "embedding" ? "" : ` and --noise-on ${noiseOn}`;
    throw new UserError(
      `Cannot train ${thinking} thinking with --antithetic${on}: only the noise of soft and fuzzy thinking on the embedding ` +
        "has an opposite",
    );
  }
  if (advantage !== "rloo" || group < 4 || group % 2 !== 0) {
    throw new UserError(
      `Cannot train with --antithetic, --advantage ${advantage} and --group ${group}: pairs are left out of each other's ` +
        "baseline, for which rloo and an even number of rollouts from 4 on are needed",
    );
  }
}
