import { letEventsIn } from "../gpu/let_events_in.ts";
import { type Trainable, zeroParams } from "../model/transformer/params.ts";
import { advantagesOf } from "./advantage.ts";
import { microBatches } from "./micro_batches.ts";
import { accumulateGradient, type ActionRecord, type ObjectiveSettings } from "./objective.ts";
import type { ScoredGroup } from "./packed_batch.ts";
import type { DrawnRollouts } from "./refill.ts";
import type { RolloutBatch } from "./rollout_source.ts";
import type { Trainer, TrainSettings } from "./trainer.ts";

/** The rollouts of a batch with their advantages, by default leave-one-out. */
export function scoredGroups(
  { groups, ids }: Pick<RolloutBatch, "groups"> & Partial<Pick<DrawnRollouts, "ids">>,
  { advantage = "rloo", antithetic, staleness }: Pick<
    TrainSettings,
    "advantage" | "antithetic" | "staleness"
  >,
): ScoredGroup[] {
  return groups.map(({ prompt, rollouts }): ScoredGroup => {
    const advantages = advantagesOf(advantage, rollouts.map(({ reward }) => reward / 100), antithetic);
    return {
      prompt,
      rollouts: rollouts.map(({ rollout }, g) => ({
        id: ids?.[rollout.index] ?? rollout.index,
        index: rollout.index,
        thinking: rollout.thinking,
        forced: rollout.forced,
        answer: rollout.answer,
        advantage: advantages[g],
        ...(staleness
          ? { drawn: { thinking: rollout.thinkingStats.logp, answer: rollout.answerStats.logp } }
          : {}),
      })),
    };
  });
}

/** Micro-batches of the groups that are learned from: those without any difference are skipped. */
export const learnedParts = (groups: readonly ScoredGroup[], microRows: number): ScoredGroup[][] =>
  microBatches(groups.filter(isLearnedFrom), microRows);

const isLearnedFrom = (group: ScoredGroup): boolean =>
  group.rollouts.some(({ advantage }) => advantage !== 0);

/**
 * Makes `grads` the gradient of an update, or of its thinking term alone: forward over the stored rows, objective and backward, in
 * micro-batches.
 * @returns functions that fetch the actions' numbers, one for each micro-batch
 */
export async function policyGradient(
  { model, thinking, settings, onPart }: Trainer,
  grads: Trainable,
  parts: readonly ScoredGroup[][],
  { hidden }: RolloutBatch,
  step: number,
  term?: ObjectiveSettings["term"],
): Promise<(() => Promise<ActionRecord>)[]> {
  zeroParams(model.gpu, grads);
  const fetches: (() => Promise<ActionRecord>)[] = [];
  const tell = () => onPart?.({ part: "micro-batches", done: fetches.length, total: parts.length });
  tell();
  for (const part of parts) {
    fetches.push(accumulateGradient(model, grads, part, {
      thinking,
      hidden,
      scale: 1 / (settings.questions * settings.group),
      seed: settings.seed,
      step,
      clipStep: settings.clipStep,
      thinkingWeight: settings.thinkingWeight,
      entropyBonus: settings.entropyBonus,
      recompute: settings.recompute,
      term,
      older: (settings.staleness ?? 0) > 0,
    }));
    // A software device has done it when it is recorded; a GPU is seconds behind.
    tell();
    await letEventsIn();
  }
  return fetches;
}
