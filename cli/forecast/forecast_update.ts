import { UserError } from "../../gpu/errors.ts";
import { countWeights } from "../../model/memory/count_weights.ts";
import { dryThinking, FORCED_TOKENS } from "../../model/memory/generation_memory.ts";
import { mixesVocabulary } from "../../model/thinking/thinking.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { questionWork, type ScaledTraining, trainedCount } from "../../rl/scaling/question_work.ts";
import { CARD_SHEETS, type Rates } from "../../rl/scaling/rates.ts";
import {
  type Cluster,
  mostThatPay,
  speedUps,
  type UpdateSeconds,
  updateSeconds,
  type Worth,
} from "../../rl/scaling/update_seconds.ts";
import { refuseTooFew, refuseTooMany } from "../train/refuse_rollouts.ts";
import { type ForecastMemory, forecastMemory } from "./forecast_memory.ts";
import { forecastModel } from "./forecast_model.ts";
import { forecastRates } from "./forecast_rates.ts";
import type { ForecastValues } from "./forecast_settings.ts";

/** What `softcot forecast --json` tells: seconds, bytes and bytes a second. */
export interface Forecast {
  /** `trained` numbers are summed over learners, and go to workers. */
  model: { name: string; parameters: number; trained: number };
  rates: Rates;
  /** Where the rates are from, in words. */
  source: string;
  /** What is asked for. */
  cluster: Cluster;
  group: number;
  /** In tokens. */
  lengths: { prompt: number; thinking: number; answer: number };
  /** The same update with 1, 2, 4, ... learners, and with as many as asked for. */
  learners: (Worth & { parts: UpdateSeconds })[];
  /** As --worth has it, and the most learners whose speed-up is that of their number. */
  pays: { worth: number; learners: number };
  /** Seconds of an update without the workers, and with their devices as learners, where there are questions for so many. */
  instead: { alone: number; asLearners: number | null } | null;
  memory: ForecastMemory;
}

/**
 * Computes what an update takes on a cluster.
 * @throws UserError if there can be no such training, or the model or the rates cannot be read
 */
export async function forecastUpdate(values: ForecastValues): Promise<Forecast> {
  const { model: name, learners, workers, workersOnly, shardOptimizer, group, worth } = values;
  const { rates, source } = forecastRates(values);
  const config = forecastModel(name);
  const questions = values.questions ?? 2 * learners;
  refuse(values, config, questions);
  const memory = await forecastMemory(config, values, questions, CARD_SHEETS[values.card].bytes);
  const training = scaledTraining(config, values);
  const work = questionWork(training);
  const cluster = { learners, workers, workersOnly, questions, shardOptimizer, slots: memory.slots };
  const partsWith = (learners: number) => updateSeconds(training, work, { ...cluster, learners }, rates);
  const withoutWorkers = (learners: number) =>
    updateSeconds(training, work, { ...cluster, learners, workers: 0, workersOnly: false }, rates).total;
  const all = speedUps((learners) => partsWith(learners).total, questions);
  const shown = all.filter(({ learners: n }) =>
    n === learners || n < learners && Number.isInteger(Math.log2(n))
  );
  return {
    model: { name, parameters: countWeights(config), trained: trainedCount(training) },
    ...{ rates, source, cluster, group },
    lengths: { prompt: values.prompt, thinking: values.maxThinking, answer: values.answerTokens },
    learners: shown.map((one) => ({ ...one, parts: partsWith(one.learners) })),
    pays: { worth, learners: mostThatPay(all, worth) },
    instead: workers === 0 ? null : {
      alone: withoutWorkers(learners),
      asLearners: learners + workers <= questions ? withoutWorkers(learners + workers) : null,
    },
    memory,
  };
}

function scaledTraining(config: ModelConfig, values: ForecastValues): ScaledTraining {
  const thinking = dryThinking(values.thinking);
  return {
    ...{ config, group: values.group, prompt: values.prompt, thinking: values.maxThinking },
    ...{ forced: FORCED_TOKENS, answer: values.answerTokens },
    ...{ mixes: mixesVocabulary(thinking), continuous: thinking.continuous },
    rank: values.lora ? values.loraRank : undefined,
    weightBytes: values.rolloutWeights === "f16" ? 2 : 4,
    recompute: values.recompute,
  };
}

/** Refuses what no training could be. */
function refuse(values: ForecastValues, { maxPosition }: ModelConfig, questions: number): void {
  const { learners, workers, workersOnly, group, prompt, maxThinking, answerTokens } = values;
  refuseTooMany({ questions, group });
  refuseTooFew({ questions }, { size: learners });
  if (workersOnly && workers === 0) {
    throw new UserError(
      "Cannot leave all rollouts to workers: there are none, --workers N is needed beside --workers-only",
    );
  }
  const tokens = prompt + maxThinking + FORCED_TOKENS + answerTokens;
  if (tokens > maxPosition) {
    throw new UserError(
      `Cannot forecast rollouts of ${tokens} tokens with their prompts: the model's context is ${maxPosition}, no more are possible`,
      "lower --prompt, --max-thinking or --answer-tokens",
    );
  }
}
