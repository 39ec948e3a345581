import type { Rollout } from "../model/generation/rollout.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import type { ActionRecord } from "./objective.ts";
import type { ScoredGroup } from "./packed_batch.ts";
import type { RolloutBatch } from "./rollout_source.ts";

/**
 * How far the training pass is from the rollout (method section 3, point 2): the best alarm for a wrong mask,
 * position or cache. Tokens: |ln p(rollout) - ln p(training)|. Mixtures: root mean square over dimensions of the
 * deviation of the training pass's m, in units of sigma; where the row is made of drawn tokens the larger of this and of
 * the difference of ln p. 0 on one device, where rollouts are made with the weights of the moment: of older ones it is how far these have moved;
 * steps whose two top logits lie within
 * 20 tau are counted apart.
 */
export interface Mismatch {
  /** Over thinking steps without a near-tie. */
  mismatch_thinking_mean: number;
  /** The largest of them. */
  mismatch_thinking_max: number;
  /** Over answer tokens. */
  mismatch_answer_mean: number;
  /** The largest of them. */
  mismatch_answer_max: number;
  /** Thinking steps of soft and fuzzy rollouts with a near-tie. */
  near_ties: number;
  /** The largest deviation at these steps. */
  mismatch_near_tie_max: number;
  /** Those of them whose shadow differs. */
  flips: number;
}

/** What rollouts of devices of another kind came to. */
export interface OtherDevice extends Mismatch {
  /** Rollouts that it made, those that were not trained on among them. */
  rollouts: number;
}

/** The mismatch of the rollouts of each device that is of another kind than this process's, by its name; undefined where all are of one kind. */
export function mismatchByDevice(
  ...[thinking, batch, parts, records]: Parameters<typeof mismatchOf>
): Record<string, OtherDevice> | undefined {
  const all = batch.groups.flatMap(({ rollouts }) => rollouts.map(({ rollout }) => rollout.madeOn));
  const others = [...new Set(all)].filter((device) => device !== undefined).sort();
  if (others.length === 0) return undefined;
  return Object.fromEntries(others.map((device) => [device, {
    rollouts: all.filter((one) => one === device).length,
    ...mismatchOf(thinking, batch, parts, records, (rollout) => rollout.madeOn === device),
  }]));
}

/**
 * Compares the numbers of the rollouts with those of the training pass, for all rollouts that were trained on.
 * @param counts which of them; all if left out
 */
export function mismatchOf(
  thinking: Thinking,
  batch: RolloutBatch,
  parts: readonly ScoredGroup[][],
  records: readonly ActionRecord[],
  counts: (rollout: Rollout) => boolean = () => true,
): Mismatch {
  const byIndex = new Map(
    batch.groups.flatMap(({ rollouts }) => rollouts.map(({ rollout }) => [rollout.index, rollout])),
  );
  const clear = tally();
  const ties = tally();
  const answers = tally();
  let flips = 0;
  parts.forEach((groups, i) => {
    const record = records[i];
    let t = 0;
    let a = 0;
    for (const { index } of groups.flatMap((group) => group.rollouts)) {
      const rollout = byIndex.get(index)!;
      const { thinkingStats, answerStats, thinking: shadows } = rollout;
      if (!counts(rollout)) {
        t += shadows.length;
        a += answerStats.logp.length;
        continue;
      }
      shadows.forEach((shadow, step) => {
        const at = t++;
        if (!thinking.continuous) return clear.add(Math.abs(record.thinking[at] - thinkingStats.logp[step]));
        // What a row is made from is an action of its own there: no argmax of the logits that could flip is fed.
        const near = thinking.rowBackward === undefined && thinkingStats.gap[step] <= 20 * thinking.tau;
        const drawn = thinking.draws
          ? Math.abs(record.thinkingStats[4 * at + 1] - thinkingStats.logp[step])
          : 0;
        (near ? ties : clear).add(Math.max(record.thinking[at], drawn));
        if (near && record.thinkingStats[4 * at + 2] !== shadow) flips++;
      });
      answerStats.logp.forEach((logp) => answers.add(Math.abs(record.answer[a++] - logp)));
    }
  });
  return {
    mismatch_thinking_mean: clear.mean(),
    mismatch_thinking_max: clear.max(),
    mismatch_answer_mean: answers.mean(),
    mismatch_answer_max: answers.max(),
    near_ties: ties.count(),
    mismatch_near_tie_max: ties.max(),
    flips,
  };
}

function tally() {
  let sum = 0;
  let most = 0;
  let count = 0;
  return {
    add(value: number): void {
      sum += value;
      // NaN must not pass for 0, and no later number for it.
      if (Number.isNaN(value) || value > most) most = value;
      count++;
    },
    mean: () => count === 0 ? 0 : sum / count,
    max: () => most,
    count: () => count,
  };
}
