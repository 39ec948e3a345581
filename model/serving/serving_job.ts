import type { Part, Rollout } from "../generation/rollout.ts";
import type { ChosenToken } from "../generation/sequence.ts";
import type { ThinkingRules } from "../generation/thinking_text.ts";
import type { Thinking } from "../thinking/thinking.ts";

/** How steps are taken, and what tells them from others. */
export interface KeyedSteps {
  /** Takes the steps. */
  thinking: Thinking;
  /** Steps with equal keys are the same whoever takes them: rows that take them are one group. */
  key: string;
}

/** What is to be seen of each step, as numbers of the whole vocabulary: it is read back from the device. */
export interface Observed {
  /** The logits, before the step. */
  logits: boolean;
  /** What the way of thinking `leaves`, of thinking alone. */
  mixture: boolean;
}

/** One step's token, and what is observed of it: [V] each. */
export interface ServedToken extends ChosenToken {
  logits?: Float32Array;
  mixture?: Float32Array;
}

/** One prompt, and how it is to be gone on from. */
export interface ServingJob {
  /** Whose it is: all jobs of a request wait as one, and share with others as one. */
  request: object;
  /** Token ids; at least one. */
  prompt: readonly number[];
  /** Keys of the draws, one a choice: the same key, the same text, whatever runs beside it. */
  keys: readonly number[];
  /** How each part takes its steps. */
  steps: Record<Part, KeyedSteps>;
  /** When thinking and answer end. */
  rules: ThinkingRules;
  /** Only continue the text, until an end token or `maxThinking`. */
  plain: boolean;
  /** What is to be seen of each step. */
  observed: Observed;
  /** Gives up: its choices leave at the next stride. */
  signal: AbortSignal;
  /** Called where the thinking of a choice has ended, with the ids that are put between it and the answer. */
  onAnswer(choice: number, forced: readonly number[]): void;
  /** Called as tokens come, after each stride. Returns true where the choice is to end with them. */
  onTokens(choice: number, part: Part, tokens: readonly ServedToken[]): boolean;
  /** Called as a choice ends by itself, by the rules. */
  onEnd(choice: number, rollout: Rollout): void;
}
