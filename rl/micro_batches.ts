import { inputRows, type ScoredGroup } from "./packed_batch.ts";

/**
 * Groups in parts of at most `rows` rows. A group that fits stays whole, so that its prompt runs once; one that
 * does not is split, each part with the prompt again: gradients are linear, their sum is the same.
 */
export function microBatches(groups: readonly ScoredGroup[], rows: number): ScoredGroup[][] {
  const batches: ScoredGroup[][] = [];
  let current: ScoredGroup[] = [];
  let used = 0;
  const close = () => {
    if (current.length > 0) batches.push(current);
    current = [];
    used = 0;
  };
  for (const part of groups.flatMap((group) => split(group, rows))) {
    const size = part.prompt.length + part.rollouts.reduce((sum, rollout) => sum + inputRows(rollout), 0);
    if (used + size > rows) close();
    current.push(part);
    used += size;
  }
  close();
  return batches;
}

function split(group: ScoredGroup, rows: number): ScoredGroup[] {
  const parts: ScoredGroup[] = [];
  let rollouts: ScoredGroup["rollouts"][number][] = [];
  let used = group.prompt.length;
  for (const rollout of group.rollouts) {
    if (rollouts.length > 0 && used + inputRows(rollout) > rows) {
      parts.push({ prompt: group.prompt, rollouts });
      rollouts = [];
      used = group.prompt.length;
    }
    rollouts.push(rollout);
    used += inputRows(rollout);
  }
  parts.push({ prompt: group.prompt, rollouts });
  return parts;
}
