import type { Tensor } from "../../gpu/tensor.ts";
import type { AnswerEnd, ForcedKind, ThinkingEnd, ThinkingRules } from "./thinking_text.ts";
import type { Thinking } from "../thinking/thinking.ts";

/** How rollouts are generated, whichever they are. */
export interface GenerationSettings {
  /** How steps of thinking are taken. */
  thinking: Thinking;
  /** When thinking and answer end. */
  rules: ThinkingRules;
  /** Temperature of the answer tokens; 0: the most probable ones. */
  answerTau: number;
  /** Of all draws. */
  seed: number;
  /** Last word of the draws' counter: the optimizer step, or a constant of the evaluation. */
  step: number;
  /** Called as tokens arrive, with all thinking (then answer) tokens of a rollout so far. */
  onTokens?: (index: number, part: Part, ids: readonly number[]) => void;
  /** Called after each step is recorded, steps past a rollout's end included: for those who want to see the weights. */
  onStep?: (step: ObservedStep) => void;
  /** Only continue the text, until an end token or `maxThinking`: no trigger is looked for, no answer is forced. */
  plain?: boolean;
  /** Rollouts at once at most; fewer where memory asks for it. Changes no result. */
  atOnce?: number;
  /**
   * Gives the device the next steps before the tokens of the last ones are looked at: up to a stride more is computed
   * past a rollout's end, and no result changes. On by default, but not on software devices, which never wait.
   */
  readBehind?: boolean;
  /** Stops between strides: every few positions. */
  signal?: AbortSignal;
}

/** What is to be generated: `group` rollouts of each prompt. */
export interface GenerateRequest extends GenerationSettings {
  /** Token ids, one list a prompt. */
  prompts: readonly (readonly number[])[];
  /** Rollouts of each prompt. */
  group: number;
  /** Numbers that key each rollout's draws, prompt by prompt: their place in the batch decides nothing. */
  rolloutIds: ArrayLike<number>;
}

/** One prompt and the rollouts that are wanted of it. */
export interface GenerationJob {
  /** Token ids. */
  prompt: readonly number[];
  /** Numbers that key each rollout's draws. */
  rolloutIds: ArrayLike<number>;
}

/** The two parts that are generated. */
export type Part = "thinking" | "answer";

/** One step as {@link GenerationSettings.onStep} sees it; z lives until the callback returns. */
export interface ObservedStep {
  /** Which rollout's step each row is, of which part, and how many steps of that part came before it. */
  rows: readonly { index: number; part: Part; step: number }[];
  /** [rows, V]: what the way of thinking `leaves`: weights (without meaning for answers) or logits. */
  z: Tensor;
}

/** Statistics of the steps of one part, one number a step. */
export interface StepStats {
  /** ln p of the token at the temperature it was drawn with (greedy: at 1). */
  logp: Float32Array;
  /** Entropy of the token distribution at temperature 1, in nats. */
  entropy: Float32Array;
  /** Distance of the two top logits. */
  gap: Float32Array;
}

/** One finished rollout. */
export interface Rollout {
  /** Index of its prompt, or job. */
  prompt: number;
  /** Its number among all rollouts, prompt by prompt; its row in `hidden`. */
  index: number;
  /** Tokens, or greedy shadows, up to and with the one that ended thinking. */
  thinking: number[];
  /** Why thinking ended. */
  thinkingEnd: ThinkingEnd;
  /** Ids put between thinking and answer. */
  forced: readonly number[];
  /** Which of the forced texts they are. */
  forcedKind: ForcedKind;
  /** Answer tokens up to and with the last. */
  answer: number[];
  /** Why the answer ended. */
  answerEnd: AnswerEnd;
  /** One entry a thinking step. */
  thinkingStats: StepStats;
  /** One entry an answer token. */
  answerStats: StepStats;
  /** The device that it was made on, where that is of another kind than this process's: its last bits may be others. */
  madeOn?: string;
}

/** A batch of rollouts; `hidden` [rollouts, steps, d] holds the rows that continuous thinking fed. */
export interface GeneratedBatch {
  /** Prompt by prompt. */
  rollouts: Rollout[];
  /** [rollouts, steps, d]; [1, 1, d] without meaning where thinking is hard. */
  hidden: Tensor;
}
