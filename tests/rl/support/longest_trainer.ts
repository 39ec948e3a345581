import type { NoisePlace } from "../../../model/thinking/noise_on.ts";
import { type Way, wayOfThinking } from "../../../model/thinking/ways.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { LoadedModel } from "../../../model/files/save_model.ts";
import { createBehind } from "../../../rl/behind.ts";
import type { Trainer } from "../../../rl/trainer.ts";
import { mute } from "../../model/support/mute.ts";
import { localTrainer } from "./local_trainer.ts";
import { trainSettings } from "./train_settings.ts";

/** What decides the memory of a training. */
export interface LongestTraining {
  kind: Way;
  questions: number;
  group: number;
  maxThinking: number;
  answerTokens: number;
  microRows: number;
  recompute: boolean;
  /** Further draws of an update; none if left out. */
  refill?: number;
  entropyBonus?: number;
  /** Updates that rollouts are old; none if left out. */
  staleness?: number;
  /** What the noise of soft and fuzzy thinking lies on. */
  noiseOn?: NoisePlace;
}

/**
 * A trainer whose rollouts all run to their limits, and in whose groups rewards differ, so that none is left out: with further draws
 * in those of the last alone, so that all draws are made.
 */
export function longestTrainer(
  { model, tokenizer }: Pick<LoadedModel, "model" | "tokenizer">,
  { kind, maxThinking, answerTokens: maxAnswer, noiseOn, ...sizes }: LongestTraining,
  embeddingRms = 0.1,
): Trainer {
  const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.1, embeddingRms, noiseOn });
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: [] });
  let turn = 0;
  const { questions, group, refill = 0 } = sizes;
  const isLast = () => Math.floor(turn / (questions * group)) % (refill + 1) === refill;
  const rewards = [{ name: "turns", weight: 1, score: () => (isLast() ? 100 : 0) * (turn++ % 2) }];
  const settings = trainSettings(sizes);
  const behind = createBehind(model, sizes.staleness ?? 0);
  const parts = { model, behind, tokenizer: mute(tokenizer), task: sums, thinking, rules, rewards, settings };
  return localTrainer(parts);
}
