import type { Rollout } from "../../model/generation/rollout.ts";
import type { ActionRecord } from "../objective.ts";
import type { ScoredGroup } from "../packed_batch.ts";
import type { DrawnRollouts } from "../refill.ts";
import type { RolloutGroup } from "../rollout_source.ts";
import type { Learners } from "./learners.ts";

/** What an update's numbers are made from. */
export interface StepParts {
  /** What was drawn; its rows fed stay with each learner. */
  batch: DrawnRollouts;
  /** All groups with their advantages. */
  groups: readonly ScoredGroup[];
  /** Micro-batches of those that are learned from. */
  parts: readonly ScoredGroup[][];
  /** Of each micro-batch. */
  records: readonly ActionRecord[];
}

/**
 * What all learners have of an update, as if one had drawn it all: groups in the order in which one would have, rollouts by the numbers that
 * key their draws. Alone, what is given.
 */
export async function gatherStep(learners: Learners, own: StepParts): Promise<StepParts> {
  if (learners.size === 1) return own;
  const { ids } = own.batch;
  const all = await learners.gather({
    groups: own.batch.groups.map((group) => renumbered(group, ids)),
    seconds: own.batch.seconds,
    scored: own.groups.map(byId),
    parts: own.parts.map((groups) => groups.map(byId)),
    records: own.records,
  });
  const order = all.flatMap(({ groups, scored }) => groups.map((group, i) => ({ group, scored: scored[i] })))
    .sort((a, b) => firstOf(a.group) - firstOf(b.group));
  const groups = order.map(({ group }) => group);
  const longest = (part: "generate" | "grade") => Math.max(...all.map(({ seconds }) => seconds[part]));
  return {
    batch: {
      ...own.batch,
      groups,
      ids: Uint32Array.from({ length: 1 + lastOf(groups) }, (_, id) => id),
      seconds: { generate: longest("generate"), grade: longest("grade") },
    },
    groups: order.map(({ scored }) => scored),
    parts: all.flatMap(({ parts }) => parts),
    records: all.flatMap(({ records }) => records),
  };
}

/** Rollouts by their ids alone: here their rows fed are not. */
const byId = (group: ScoredGroup): ScoredGroup => ({
  ...group,
  rollouts: group.rollouts.map((rollout) => ({ ...rollout, index: rollout.id })),
});

const renumbered = (group: RolloutGroup, ids: ArrayLike<number>): RolloutGroup => ({
  ...group,
  rollouts: group.rollouts.map((graded) => ({
    ...graded,
    rollout: { ...graded.rollout, index: ids[graded.rollout.index] } as Rollout,
  })),
});

const firstOf = ({ rollouts }: RolloutGroup): number => rollouts[0].rollout.index;

const lastOf = (groups: readonly RolloutGroup[]): number =>
  groups.reduce((most, { rollouts }) => Math.max(most, rollouts.at(-1)!.rollout.index), 0);
