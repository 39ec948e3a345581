import { CARD_SHEETS } from "../../rl/scaling/rates.ts";
import { flags } from "../settings/flags.ts";
import { choice, flag, integer, number, path, type Values } from "../settings/setting.ts";
import { trainSettings } from "../train/train_settings.ts";

type CardName = keyof typeof CARD_SHEETS;

const cluster = "Cluster";

/** What is assumed of cards that are not here, where nobody says else; that of the link is InfiniBand of 200 Gbit/s. */
export const ASSUMED = { share: 0.25, memoryShare: 0.6, link: 25 } as const;

/** What training on which machines a forecast is for. */
export const forecastSettings = {
  model: {
    ...flags.model,
    description:
      "A model at hand, a config.json, or a known shape: Llama-3.2-1B, Qwen3-8B, others by an unknown name",
    default: "Llama-3.2-1B",
  },
  learners: integer("Processes that train together, a device each", {
    default: 1,
    min: 1,
    max: 4096,
    group: cluster,
  }),
  workers: integer("Processes that make rollouts alone, a device each", {
    default: 0,
    min: 0,
    max: 4096,
    group: cluster,
  }),
  workersOnly: flag("Learners make no rollouts themselves", { group: cluster }),
  shardOptimizer: flag("Each learner keeps its share of the moments alone", { group: cluster }),
  card: choice(Object.keys(CARD_SHEETS) as CardName[], "Their devices, by data sheet", {
    default: "h100",
    group: cluster,
  }),
  share: number("Share of the card's peak of operations that is assumed to be reached", {
    above: 0,
    max: 1,
    defaultText: `${ASSUMED.share}`,
    group: cluster,
  }),
  memoryShare: number("Share of its memory's bandwidth", {
    above: 0,
    max: 1,
    defaultText: `${ASSUMED.memoryShare}`,
    group: cluster,
  }),
  link: number("GB/s (10^9 bytes) between two learners, each way", {
    above: 0,
    max: 1e5,
    defaultText: `${ASSUMED.link}`,
    group: cluster,
  }),
  rates: path(
    "File of measured rates in place of the card's, as tests/bench/scaling_bench.ts writes it; the card's memory counts",
    { placeholder: "file", group: cluster },
  ),
  worth: number("Speed-up by learner below which adding learners is said to stop paying", {
    default: 0.5,
    above: 0,
    max: 1,
    group: cluster,
  }),
  questions: integer("Questions of each update, of all learners together", {
    min: 1,
    placeholder: "B",
    defaultText: "2 for each learner",
  }),
  group: flags.group,
  thinking: flags.thinking,
  prompt: integer("Tokens of a prompt", { default: 128, min: 1, max: 2 ** 20 }),
  maxThinking: flags.maxThinking,
  answerTokens: flags.answerTokens,
  lora: trainSettings.lora,
  loraRank: trainSettings.loraRank,
  rolloutWeights: trainSettings.rolloutWeights,
  microRows: trainSettings.microRows,
  recompute: trainSettings.recompute,
};

/** See {@link forecastSettings}. */
export type ForecastValues = Values<typeof forecastSettings>;
