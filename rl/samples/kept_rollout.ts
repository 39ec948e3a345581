import type { KeptSteps } from "../../eval/results/kept_steps.ts";

/**
 * A rollout of an update as it is kept: a line of samples.jsonl. All rollouts of a group follow one another. Keys are those of the file.
 *
 * Lines of version 1 have no `version`: `step`, `question`, `gold`, `thinking`, `thinking_end`, `answer` (with the forced text), `boxed` and
 * `reward` alone, two lines an entry.
 */
export interface KeptRollout extends ToldRollout, KeptSteps {}

/** A rollout without what its steps were made of, which takes a pass to tell. */
export interface ToldRollout {
  /** Of the record. */
  version: 2;
  /** The update that it was generated for, from 1. */
  step: number;
  /** Its group's place in the update, from 0. */
  group: number;
  /** Id of the question. */
  id: string;
  /** Text of the question. */
  question: string;
  /** The right answer. */
  gold: string;
  /** Its place in the group, from 0. */
  sample: number;
  /** Rollouts of the group. */
  group_size: number;
  /** What it was worth: 100, 10 or 0 by the task alone. */
  reward: number;
  /** Each reward before its weight, by name, where the run has others than the task's. */
  rewards?: Record<string, number>;
  /** Of rewards / 100. */
  advantage: number;
  /** All of its group have the same reward, so that nothing is learned from them. */
  equal: boolean;
  /** Its question followed one without a difference (`--refill`). */
  refilled: boolean;
  /** Whether the boxed answer is the gold one. */
  correct: boolean;
  /** The checker's rule that decided; null if there was nothing to check. */
  rule: string | null;
  /** What the box holds; null if nothing can be extracted. */
  boxed: string | null;
  /** How it thought: `hard`, `soft` and so on. */
  way: string;
  /** Its temperature. */
  tau: number;
  /** Whether its steps are rows, whose tokens are but a shadow. */
  continuous: boolean;
  /** Text of the thinking, or of its shadow. */
  thinking: string;
  /** Why the thinking ended. */
  thinking_end: "trigger" | "end-token" | "limit";
  /** The text forced between thinking and answer. */
  forced: string;
  /** Text of the answer's tokens. */
  answer: string;
  /** Why the answer ended. */
  answer_end: "brace" | "end-token" | "limit";
  /** Ids of the thinking's tokens, or shadows. */
  thinking_tokens: number[];
  /** Ids of the answer's tokens. */
  answer_tokens: number[];
  /** ln p of each token at the temperature it was drawn with; of shadows at that of the mixture. */
  thinking_log_probabilities: number[];
  /** Entropy of the token distribution at temperature 1 at each step of the thinking, in nats. */
  thinking_entropies: number[];
  /** ln p of the answer's tokens. */
  answer_log_probabilities: number[];
}
