import { toldAdapter } from "../../gpu/adapter.ts";
import { type NumberedDevice, numberedDevices } from "../../gpu/device/choose_device.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import type { DeviceFacts } from "../../gpu/device/cards.ts";
import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import type { TrainingShape } from "../../rl/memory/training_shape.ts";
import { inBytes } from "../terminal/in_bytes.ts";

/**
 * Refuses a training that cannot fit, before a weight is loaded; where nobody knows the device's memory, nothing is refused.
 * @throws UserError with what is needed, what is free, and what would fit
 */
export async function refuseTooLarge(
  gpu: Gpu | DeviceFacts,
  config: ModelConfig,
  model: string,
  shape: TrainingShape,
  memory = deviceMemory(gpu.adapter),
): Promise<void> {
  if (memory === undefined) return;
  const needOf = (shape: TrainingShape) => trainingNeed(config, shape, { facts: gpu, free: memory.free });
  const need = await needOf(shape);
  if (need.total <= memory.free) return;
  const full = shape.rank === undefined;
  const held = (full ? "weights, gradients and moments" : "weights and adapter") +
    (shape.diagnoseEvery ? ", with what --diagnose-every compares with" : "");
  const parts = need.total === need.state
    ? `${inBytes(need.state)} for ${held} alone`
    : `about ${inBytes(need.total)} (${inBytes(need.state)} of ${held}, the rest rollouts and activations)`;
  throw new UserError(
    `Cannot train ${full ? model : `an adapter of ${model}`}: it needs ${parts}, ` +
      `${inBytes(memory.free)} are free by ${memory.source}`,
    otherDevice(need.total) + await whatWouldFit(gpu, config, shape, memory.free),
  );
}

/** The GPU with the most memory free that has enough of it, as the beginning of a hint. */
function otherDevice(bytes: number): string {
  const free = (device: NumberedDevice) => device.free ?? device.memory;
  const [best] = numberedDevices().filter(({ type }) => type !== "cpu").toSorted((a, b) => free(b) - free(a));
  return best && free(best) >= bytes
    ? `--gpu ${best.number} has ${inBytes(free(best))} free (${toldAdapter(best)}); `
    : "";
}

/** What would fit into so many bytes: the cheapest change of this training, and the cheapest one to an adapter's. */
export async function whatWouldFit(
  gpu: Gpu | DeviceFacts,
  config: ModelConfig,
  shape: TrainingShape,
  free: number,
): Promise<string> {
  const needOf = (shape: TrainingShape) => trainingNeed(config, shape, { facts: gpu, free });
  const spare = { ...shape, recompute: true };
  const fewer = { ...spare, microRows: Math.min(1024, shape.microRows) };
  const adapter = (of: TrainingShape) => ({ ...of, rank: shape.rank ?? 16 });
  const plain = { ...shape, diagnoseEvery: 0 };
  const recomputed: [string, TrainingShape][] = [
    ["--recompute", spare],
    ["--recompute --micro-rows 1024", fewer],
  ];
  const mayShard = (shape.learners ?? 1) > 1 && !shape.shardOptimizer;
  const sharded = (flags: string, of: TrainingShape): [string, TrainingShape] => [
    `--shard-optimizer${flags}`,
    { ...of, shardOptimizer: true },
  ];
  const own: [string, TrainingShape][] = [
    ...(shape.diagnoseEvery ? [["--diagnose-every 0", plain] as [string, TrainingShape]] : []),
    ...(mayShard ? [sharded("", shape)] : []),
    ...recomputed,
    ...(mayShard ? recomputed.map(([flags, of]) => sharded(` ${flags}`, of)) : []),
  ];
  const others: [string, TrainingShape][] = [["--lora", adapter(shape)], [
    "--lora --recompute",
    adapter(spare),
  ], [
    "--lora --recompute --micro-rows 1024",
    adapter(fewer),
  ]];
  const found: string[] = [];
  for (const remedies of shape.rank === undefined ? [own, others] : [own]) {
    for (const [flags, of] of remedies) {
      const { total } = await needOf(of);
      if (total > free) continue;
      found.push(`${flags} needs about ${inBytes(total)}`);
      break;
    }
  }
  if (found.length > 0) return found.join("; ");
  const least = (await needOf(adapter(fewer))).total;
  return `even with --lora --recompute --micro-rows 1024 it is about ${
    inBytes(least)
  }: ask for a smaller --group, or ` +
    "take a smaller model or a device with more memory";
}
