import { UserError } from "../gpu/errors.ts";

/** Ways to turn the rewards of a group into advantages. */
export const ADVANTAGES = ["rloo", "grpo", "dr-grpo", "max-rl"] as const;

/** One of {@link ADVANTAGES}. */
export type AdvantageKind = typeof ADVANTAGES[number];

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

/** What keeps GRPO's division finite, in rewards divided by 100. */
const GRPO_EPSILON = 1e-6;

/**
 * The advantages of one group. A group of equal rewards gets zeros, whatever the kind.
 *
 * - `rloo`: each reward less the mean of the others (method section 3): unbiased, no division by a standard deviation.
 * - `dr-grpo`: each reward less the mean of all (arXiv 2503.20783): rloo times (G - 1) / G.
 * - `grpo`: that divided by the standard deviation of the group (arXiv 2402.03300): questions weigh by how sure they are.
 * - `max-rl`: that divided by the mean instead; 0 where the mean is 0.
 *
 * @param rewards of one group's rollouts, divided by 100; at least 2
 * @param antithetic rollouts 2 i and 2 i + 1 had opposite noise: they are no evidence apart from each other, so that the mean of the others
 * leaves out the partner too; with `rloo` alone, at least 4 rollouts, an even number
 * @throws UserError for `max-rl` of rewards below 0 in the mean, whose sign it would turn
 */
export function advantagesOf(kind: AdvantageKind, rewards: readonly number[], antithetic = false): number[] {
  const count = rewards.length;
  if (antithetic) return pairsLeftOut(kind, rewards);
  if (kind === "rloo") return leaveOneOut(rewards);
  if (rewards.every((reward) => reward === rewards[0])) return rewards.map(() => 0);
  const sum = rewards.reduce((total, reward) => total + reward, 0);
  const mean = sum / count;
  switch (kind) {
    case "dr-grpo":
      return rewards.map((reward) => reward - mean);
    case "grpo": {
      const variance = rewards.reduce((total, reward) => total + (reward - mean) ** 2, 0) / (count - 1);
      return rewards.map((reward) => (reward - mean) / (Math.sqrt(variance) + GRPO_EPSILON));
    }
    case "max-rl":
      if (mean < 0) {
        throw new UserError(
          `Cannot divide by the mean reward ${100 * mean} (max-rl): rewards from 0 on are needed`,
        );
      }
      return rewards.map((reward) => mean === 0 ? 0 : (reward - mean) / mean);
  }
}

function pairsLeftOut(kind: AdvantageKind, rewards: readonly number[]): number[] {
  const count = rewards.length;
  if (kind !== "rloo" || count < 4 || count % 2 !== 0) {
    throw new Error(
      `Cannot take ${kind} advantages of ${count} rollouts in pairs: rloo and an even number from 4 on are needed`,
    );
  }
  if (rewards.every((reward) => reward === rewards[0])) return rewards.map(() => 0);
  const sum = rewards.reduce((total, reward) => total + reward, 0);
  return rewards.map((reward, i) => reward - (sum - reward - rewards[i ^ 1]) / (count - 2));
}
