import { generationEntry } from "../../eval/tasks/open_task.ts";
import { UserError } from "../../gpu/errors.ts";
import { readAdapterConfig } from "../../model/lora/adapter_config.ts";
import { findAdaptedModel, locateAdapter } from "../../model/lora/locate_adapter.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { dashed } from "../settings/dashed.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { refuseIdleMixing } from "../settings/refuse_idle_mixing.ts";
import { shown } from "../settings/shown.ts";
import type { TrainValues } from "./train_settings.ts";

/** Who set each value. */
type Origins = Record<keyof TrainValues, Origin>;

/**
 * The values of a new run: as given, and where nobody says as its adapter and its task have them.
 * @throws UserError if there is no such adapter or task, or they do not go with the flags
 */
export async function newValues(given: TrainValues, origins: Origins): Promise<TrainValues> {
  refuseIdleMixing([given.thinking], origins, given.noiseOn);
  return withAdapterForm(await withTaskLimits(withBase(given, origins), origins), origins);
}

/** Where only an adapter is given, the model is the one it was trained on. */
const withBase = (values: TrainValues, origins: Origins): TrainValues => ({
  ...values,
  model: modelOrBase(values, origins),
});

/** The task's own limits, where nobody sets others. */
async function withTaskLimits(values: TrainValues, origins: Origins): Promise<TrainValues> {
  const { limits, source } = await generationEntry(values.task);
  const { maxThinking, answerTokens, testQuestions } = values;
  return {
    ...values,
    testQuestions: source && origins.testQuestions === "default" ? 0 : testQuestions,
    maxThinking: origins.maxThinking === "default" ? limits.maxThinking : maxThinking,
    answerTokens: origins.answerTokens === "default" ? limits.answerTokens : answerTokens,
  };
}

/**
 * The values with the form of the adapter that is given, by --adapter or as a run that trained one: it is what trains.
 * @throws UserError if there is none, or a flag asks for another form
 */
function withAdapterForm(values: TrainValues, origins: Origins): TrainValues {
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
