/**
 * Leave-one-out advantages (RLOO; method section 3): each reward less the mean of the others of its group.
 * No division by a standard deviation. A group of equal rewards gets zeros.
 * @param rewards of one group's rollouts, divided by 100; at least 2
 */
export function leaveOneOut(rewards: readonly number[]): number[] {
  const count = rewards.length;
  if (count < 2) {
    throw new Error(`Cannot take leave-one-out advantages of ${count} rollout: at least 2 are needed`);
  }
  if (rewards.every((reward) => reward === rewards[0])) return rewards.map(() => 0);
  const sum = rewards.reduce((total, reward) => total + reward, 0);
  return rewards.map((reward) => reward - (sum - reward) / (count - 1));
}
