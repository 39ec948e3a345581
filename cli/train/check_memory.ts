import { promptOptions } from "../../eval/questions/prompt_ids.ts";
import { AT_ONCE } from "../../eval/evaluate_options.ts";
import type { Task } from "../../eval/task.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { dryThinking } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { WeightTypes } from "../../model/transformer/params.ts";
import { planWeights } from "../../model/weights/weight_types.ts";
import { largestShare } from "../../rl/cluster/learners.ts";
import { promptTokensOf, type TrainingShape } from "../../rl/memory/training_shape.ts";
import { roomIn } from "./fitting_task.ts";
import { refuseTooLarge, whatWouldFit } from "./refuse_too_large.ts";
import { refuseTooMany, refuseTooWide } from "./refuse_rollouts.ts";
import type { TrainValues } from "./train_settings.ts";
import { weightsInTraining } from "./weights_in_training.ts";

/** A training whose memory is asked for before a weight is loaded. */
export interface PlannedTraining {
  /** Of the model or checkpoint to start from. */
  name: string;
  task: Task;
  /** Of the model that is held beside it to be compared with. */
  baseName: string | undefined;
  /** Learners that train together. */
  learners: number;
  /** Each of them keeps a share of the moments. */
  shardOptimizer: boolean;
}

/**
 * Asks for the memory of the updates before a weight is loaded.
 * @throws UserError if they do not fit
 */
export async function checkMemory(gpu: Gpu, values: TrainValues, planned: PlannedTraining): Promise<void> {
  refuseTooMany(values);
  const { config, shape } = await plannedShape(values, planned);
  await refuseTooLarge(gpu, config, planned.name, shape);
  refuseTooWide(gpu.maxBinding, config, shape, { ...values, questions: shape.questions });
}

/** What would fit into so many bytes where a training does not, as words of a hint. */
export async function fittingTraining(
  gpu: Gpu,
  values: TrainValues,
  planned: PlannedTraining,
  free: number,
): Promise<string> {
  const { config, shape } = await plannedShape(values, planned);
  return await whatWouldFit(gpu, config, shape, free);
}

async function plannedShape(
  values: TrainValues,
  { name, task, baseName, learners, shardOptimizer }: PlannedTraining,
): Promise<{ config: ModelConfig; shape: TrainingShape }> {
  using files = openModelFiles(name);
  const { config, tokenizer } = files;
  const { types } = planWeights(config, files.weights, weightsInTraining(values), name);
  const rules = thinkingRules(tokenizer, {
    ...{ maxThinking: values.maxThinking, maxAnswer: values.answerTokens, endTokenIds: [] },
  });
  const room = roomIn(config.maxPosition, rules, values);
  const prompt = { ...promptOptions(tokenizer, values), room };
  const questions = largestShare(values.questions, { size: learners });
  const shape = trainingShape({ ...values, questions }, {
    ...{ learners, shardOptimizer },
    ...await promptTokensOf({ tokenizer, task, prompt, settings: values }),
    forcedTokens: rules.forcedIds.triggerAndBox.length,
    types,
    baseTypes: baseName === undefined ? undefined : exactTypes(baseName),
  });
  return { config, shape };
}

function exactTypes(name: string): WeightTypes {
  using files = openModelFiles(name);
  return planWeights(files.config, files.weights, "exact", name).types;
}

/** What else decides the memory of a training: lengths in tokens, and the types of weights that do not train. */
type Known = Pick<
  TrainingShape,
  | "promptTokens"
  | "meanPromptTokens"
  | "forcedTokens"
  | "types"
  | "baseTypes"
  | "learners"
  | "shardOptimizer"
>;

/** The memory that a training of these settings takes. */
export function trainingShape(values: TrainValues, known: Known): TrainingShape {
  const {
    thinking,
    lora,
    loraRank,
    validateEvery,
    validationQuestions,
    testQuestions,
    testSamples,
    ...shape
  } = values;
  const validation = validateEvery > 0 ? validationQuestions : 0;
  return {
    ...shape,
    ...known,
    thinking: dryThinking(thinking, values),
    rank: lora ? loraRank : undefined,
    // Tests think in all ways, validation in tokens.
    tests: testQuestions > 0
      ? {
        questions: Math.max(testQuestions, validation),
        samples: testSamples,
        atOnce: AT_ONCE,
        thinking: [...new Set(["soft", thinking] as const)].map((way) => dryThinking(way, values)),
      }
      : { questions: validation, samples: 1, atOnce: AT_ONCE, thinking: [dryThinking("hard")] },
  };
}
