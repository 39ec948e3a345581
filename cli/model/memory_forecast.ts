import { AT_ONCE } from "../../eval/evaluate_options.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { withGpu } from "../vulkan/with_gpu.ts";
import type { ModelFiles } from "../../model/files/model_files.ts";
import { loraCounts } from "../../model/memory/count_weights.ts";
import { slotsThatFit } from "../../model/memory/cache_budget.ts";
import { dryThinking, FORCED_TOKENS, generationNeed } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { kvBytesPerRow } from "../../model/transformer/kv_cache.ts";
import { planWeights, weightBytes, type WeightForm } from "../../model/weights/weight_types.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import { flags } from "../settings/flags.ts";
import { integer, type Values } from "../settings/setting.ts";

/** What the work is that memory is forecast for. */
export const forecastSettings = {
  weights: { ...flags.weights, description: "Weights that generation and LoRA are forecast for" },
  microRows: integer("Tokens that go through an update at once", { default: 8192, min: 64 }),
  prompt: integer("Tokens of a prompt", { default: 128, min: 1 }),
  maxTokens: integer("Tokens of a rollout after its prompt", { default: 256, min: 1 }),
  answerTokens: flags.answerTokens,
  questions: flags.questions,
  group: flags.group,
  loraRank: integer("Rank of a LoRA adapter", { default: 16, min: 1, max: 4096, placeholder: "r" }),
};

type ForecastValues = Values<typeof forecastSettings>;

/**
 * The memory that a model takes at its peak in evaluation, in training of an adapter and in full training: by dry work on
 * a device that only counts.
 */
export async function memoryForecast(
  name: string,
  { config, weights: file }: ModelFiles,
  values: ForecastValues,
) {
  const { weights: form, microRows, questions, group, loraRank: rank } = values;
  const bytesAs = (form: WeightForm) => weightBytes(config, planWeights(config, file, form, name).types);
  const { types } = planWeights(config, file, form, name);
  return await withGpu(async (gpu) => {
    const free = deviceMemory(gpu.adapter)?.free;
    const device = { facts: gpu, free };
    const lengths = lengthsWithin(config, values);
    const shape = { ...lengths, group, thinking: dryThinking("soft") };
    const maxNewTokens = lengths.maxThinking + FORCED_TOKENS + lengths.answerTokens;
    const fitting = slotsThatFit(gpu, config, { promptTokens: lengths.promptTokens, group, maxNewTokens });
    const chunk = Math.ceil(config.vocabSize * config.hiddenSize * 4 / gpu.maxBinding);
    const batch = { ...shape, prompts: Math.ceil(2 * AT_ONCE / group), atOnce: AT_ONCE };
    const training = async (rank?: number) => {
      const need = (recompute: boolean) =>
        trainingNeed(config, { ...shape, questions, microRows, recompute, rank, types }, device);
      const { state, total } = await need(false);
      return { state, training: total, trainingRecomputed: (await need(true)).total };
    };
    const { state: trainingState, ...full } = await training();
    return {
      device: gpu.adapter.name,
      maxBinding: gpu.maxBinding,
      free: free ?? null,
      embeddingChunks: chunk,
      form,
      weights: weightBytes(config, types),
      weightsAs: { exact: bytesAs("exact"), f16: bytesAs("f16"), f32: bytesAs("f32") },
      kvBytesPerToken: kvBytesPerRow(config),
      rollouts: Math.min(AT_ONCE, fitting),
      rolloutTokens: lengths.maxThinking + lengths.answerTokens,
      generation: (await generationNeed(config, batch, types, device)).total,
      questions,
      group,
      microRows,
      trainingState,
      lora: { rank, trained: loraCounts(config, rank).trained, ...await training(rank) },
      ...full,
    };
  });
}

/** The lengths that were asked for, as far as the model's context allows them. */
function lengthsWithin(
  { maxPosition }: ModelConfig,
  { prompt, maxTokens, answerTokens: answer }: Pick<ForecastValues, "prompt" | "maxTokens" | "answerTokens">,
) {
  const promptTokens = Math.min(prompt, Math.floor(maxPosition / 2));
  const own = Math.max(2, Math.min(maxTokens, maxPosition - promptTokens - FORCED_TOKENS));
  const answerTokens = Math.min(answer, own - 1);
  return { promptTokens, maxThinking: own - answerTokens, answerTokens };
}
