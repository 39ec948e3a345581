import { UserError } from "../../gpu/errors.ts";
import type { WeightForm } from "../../model/weights/weight_types.ts";
import type { TrainValues } from "./train_settings.ts";

/**
 * How the model's weights are held: what trains is f32, what an adapter is trained on is only read.
 * @throws UserError if other types are asked for
 */
export function weightsInTraining({ model, lora, weights, rolloutWeights }: TrainValues): WeightForm {
  if (!lora) {
    if (weights === undefined || weights === "exact" || weights === "f32") return "f32";
    throw new UserError(
      `Cannot train ${model} with --weights ${weights}: its weights are what trains, f32 is needed`,
      "--lora trains an adapter on weights of any type; --rollout-weights f16 makes rollouts with a rounded copy",
    );
  }
  if (rolloutWeights === "f32") return weights ?? "exact";
  throw new UserError(
    `Cannot use --rollout-weights ${rolloutWeights} with --lora: the weights do not train, no copy is needed`,
    `--weights ${rolloutWeights} is for rollouts and updates alike, without a mismatch`,
  );
}
