import { findAdaptedModel, locateAdapter } from "../../model/lora/locate_adapter.ts";
import { readAdapterConfig } from "../../model/lora/adapter_config.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { addAdapter } from "../../model/lora/add_adapter.ts";
import type { WeightForm } from "../../model/weights/weight_types.ts";
import { UserError } from "../../gpu/errors.ts";
import { dashed } from "../settings/dashed.ts";
import { shown } from "../settings/shown.ts";
import type { Values } from "../settings/setting.ts";
import type { Origin } from "../settings/resolve_config.ts";
import type { trainSettings } from "./train_settings.ts";

type TrainValues = Values<typeof trainSettings>;

/**
 * The values with the form of the adapter that is given, by --adapter or as a run that trained one: it is what trains.
 * @throws UserError if there is none, or a flag asks for another form
 */
export function withAdapterForm(
  values: TrainValues,
  origins: Partial<Record<keyof TrainValues, Origin>>,
): TrainValues {
  const given = values.adapter ?? findAdaptedModel(values.model);
  if (given === undefined) {
    const idle = (["loraRank", "loraAlpha", "loraLr"] as const).find((key) => origins[key] === "flag");
    if (values.lora || !idle) return values;
    throw new UserError(`Cannot use --${dashed(idle)}: no adapter is trained`, "add --lora");
  }
  const { rank, alpha } = readAdapterConfig(locateAdapter(given));
  for (const [key, value] of [["loraRank", rank], ["loraAlpha", alpha]] as const) {
    if (origins[key] !== "flag" || values[key] === value) continue;
    throw new UserError(
      `Cannot continue the adapter ${given} with --${dashed(key)} ${shown(values[key])}: it has ${value}`,
      "leave the flag out, or start a new adapter with --lora alone",
    );
  }
  return { ...values, lora: true, loraRank: rank, loraAlpha: alpha };
}

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

/** Gives a model the adapter that is to be trained, unless it has one, and notes what it is trained on. */
export function prepareAdapter(found: FoundModel, { loraRank, loraAlpha, seed }: TrainValues): void {
  const { model } = found;
  const adapter = model.adapter ?? addAdapter(model, { rank: loraRank, alpha: loraAlpha }, seed);
  adapter.base ??= found.base();
}
