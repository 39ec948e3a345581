import type { Gpu } from "../../gpu/device.ts";
import { deviceMemory } from "../../gpu/device_memory.ts";
import { UserError } from "../../gpu/errors.ts";
import type { ModelConfig } from "../../model/config.ts";
import { trainingNeed, type TrainingShape } from "../../rl/training_memory.ts";
import { inBytes } from "../bytes.ts";
import type { Values } from "../declare.ts";
import type { trainSettings } from "./train_settings.ts";

type TrainValues = Values<typeof trainSettings>;

/** The memory that a training of these settings takes; `baseBytes` are those of weights that do not train. */
export function trainingShape(values: TrainValues, promptTokens: number, baseBytes?: number): TrainingShape {
  const { thinking, lora, loraRank, ...shape } = values;
  const rank = lora ? loraRank : undefined;
  return { ...shape, promptTokens, continuous: thinking !== "hard", rank, baseBytes };
}

/**
 * Refuses a training that cannot fit, before a weight is loaded; where nobody knows the device's memory, nothing is refused.
 * @throws UserError with what is needed, what is free, and what would fit
 */
export function refuseTooLarge(
  { adapter }: Pick<Gpu, "adapter">,
  config: ModelConfig,
  model: string,
  shape: TrainingShape,
  memory = deviceMemory(adapter),
): void {
  const need = trainingNeed(config, shape);
  if (memory === undefined || need.total <= memory.free) return;
  const full = shape.rank === undefined;
  throw new UserError(
    `Cannot train ${full ? model : `an adapter of ${model}`}: it needs about ${inBytes(need.total)} ` +
      `(${inBytes(need.state)} of ${
        full ? "weights, gradients and moments" : "weights and adapter"
      }, the rest ` +
      `rollouts and activations), ${inBytes(memory.free)} are free by ${memory.source}`,
    hint(config, shape, memory.free),
  );
}

/** What would fit: the cheapest change of this training, and the cheapest one to an adapter's. */
function hint(config: ModelConfig, shape: TrainingShape, free: number): string {
  const spare = { ...shape, recompute: true };
  const fewer = { ...spare, microRows: Math.min(1024, shape.microRows) };
  const adapter = (of: TrainingShape) => ({ ...of, rank: shape.rank ?? 16 });
  const own: [string, TrainingShape][] = [["--recompute", spare], ["--recompute --micro-rows 1024", fewer]];
  const others: [string, TrainingShape][] = [["--lora", adapter(shape)], [
    "--lora --recompute",
    adapter(spare),
  ], [
    "--lora --recompute --micro-rows 1024",
    adapter(fewer),
  ]];
  const fitting = (remedies: [string, TrainingShape][]) =>
    remedies.map(([flags, of]) => ({ flags, total: trainingNeed(config, of).total })).find(({ total }) =>
      total <= free
    );
  const found = [fitting(own), ...(shape.rank === undefined ? [fitting(others)] : [])].filter((one) =>
    one !== undefined
  );
  if (found.length > 0) {
    return found.map(({ flags, total }) => `${flags} needs about ${inBytes(total)}`).join("; ");
  }
  const least = trainingNeed(config, adapter(fewer)).total;
  return `even with --lora --recompute --micro-rows 1024 it is about ${
    inBytes(least)
  }: ask for a smaller --group, or ` +
    "take a smaller model or a device with more memory";
}
