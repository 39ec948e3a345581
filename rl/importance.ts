import { MOST_RATIO } from "../model/thinking/importance.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { ageOf } from "./behind.ts";
import type { ActionRecord } from "./objective.ts";

/**
 * What older rollouts come to (method section 10), over the actions that were learned from; null where there was none. r is the importance
 * ratio of an action, its probability or density now over that when it was taken. Where nothing has moved r is 1, and the divergence 0.
 */
export interface Importance {
  /** Updates that the weights are old which made the rollouts. */
  rollout_age: number;
  /** Mean of r over thinking steps, not truncated: near 1, or too few have any weight. */
  ratio_thinking_mean: number | null;
  /** Share of thinking steps whose ratio was truncated. */
  ratio_thinking_truncated: number | null;
  /** Divergence of the policy that acted from that of now, in nats a step: of tokens the mean of r - 1 - ln r (k3), of Gaussian rows exact. */
  ratio_thinking_kl: number | null;
  /** The same of answer tokens. */
  ratio_answer_mean: number | null;
  /** See above. */
  ratio_answer_truncated: number | null;
  /** See above. */
  ratio_answer_kl: number | null;
}

/**
 * @param width d, numbers of a row
 * @returns nothing of an on-policy training
 */
export function importanceOf(
  { continuous }: Pick<Thinking, "continuous">,
  { staleness = 0, width, step }: { staleness?: number; width: number; step: number },
  records: readonly ActionRecord[],
): Importance | undefined {
  if (staleness === 0) return undefined;
  const thinking = sumsOf(records.flatMap(({ logRatios }) => Array.from(logRatios!.thinking)));
  const answer = sumsOf(records.flatMap(({ logRatios }) => Array.from(logRatios!.answer)));
  const exact = () => {
    const rows = records.flatMap((record) => Array.from(record.thinking));
    return meanOf(rows, (deviation) => width * deviation ** 2 / 2);
  };
  return {
    rollout_age: ageOf(staleness, step),
    ratio_thinking_mean: thinking.mean,
    ratio_thinking_truncated: thinking.truncated,
    ratio_thinking_kl: continuous ? exact() : thinking.kl,
    ratio_answer_mean: answer.mean,
    ratio_answer_truncated: answer.truncated,
    ratio_answer_kl: answer.kl,
  };
}

/** A logarithm below it counts as it: of a token that cannot be drawn any more it is infinite. */
const LEAST = -1e4;

const sumsOf = (logRatios: readonly number[]) => ({
  mean: meanOf(logRatios, Math.exp),
  truncated: meanOf(logRatios, (value) => value > Math.log(MOST_RATIO) ? 1 : 0),
  kl: meanOf(logRatios, (value) => Math.expm1(value) - Math.max(LEAST, value)),
});

const meanOf = (values: readonly number[], of: (value: number) => number): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + of(value), 0) / values.length;
