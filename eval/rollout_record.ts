import type { Rollout } from "../model/generate.ts";
import { generatedText, type ThinkingRules } from "../model/thinking_text.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { Mode } from "./modes.ts";
import type { Grade, Question, Task } from "./task.ts";

/** One rollout as it is written to a file: what was asked, thought and answered, and the verdict. */
export interface RolloutRecord {
  /** How it was run. */
  mode: Mode;
  /** Id of the question. */
  id: string;
  /** Text of the question. */
  question: string;
  /** The right answer. */
  gold: string;
  /** Which of the question's samples, from 0. */
  sample: number;
  /** Text of the thinking: of its tokens (hard), or of its greedy shadow (soft and fuzzy). */
  thinking: string;
  /** The text forced between thinking and answer. */
  forced: string;
  /** Text of the answer's tokens. */
  answer: string;
  /** What the box holds; null if nothing can be extracted. */
  boxed: string | null;
  /** Whether the boxed answer is equivalent to the gold answer. */
  correct: boolean;
  /** 100, 10 or 0. */
  reward: Grade["reward"];
  /** Why the thinking ended. */
  thinkingEnd: Rollout["thinkingEnd"];
  /** Why the answer ended. */
  answerEnd: Rollout["answerEnd"];
  /** Ids of the thinking's tokens, or shadows. */
  thinkingTokens: number[];
  /** Ids of the answer's tokens. */
  answerTokens: number[];
  /** ln p of each token at the temperature it was drawn with; of greedy ones at 1, of shadows at that of the mixture. */
  thinkingLogProbabilities: number[];
  /** The same of the answer's tokens. */
  answerLogProbabilities: number[];
}

/** Grades a rollout by its task and keeps what a reader needs. */
export function gradeRollout(
  task: Task,
  tokenizer: Tokenizer,
  rules: ThinkingRules,
  mode: Mode,
  { id, question, gold }: Question,
  sample: number,
  rollout: Rollout,
): RolloutRecord {
  const answer = generatedText(tokenizer, rollout.answer, rules);
  const grade = task.grade(gold, answer);
  return {
    mode,
    id,
    question,
    gold,
    sample,
    thinking: generatedText(tokenizer, rollout.thinking, rules),
    forced: tokenizer.decode(rollout.forced),
    answer,
    boxed: grade.answer,
    correct: grade.correct,
    reward: grade.reward,
    thinkingEnd: rollout.thinkingEnd,
    answerEnd: rollout.answerEnd,
    thinkingTokens: rollout.thinking,
    answerTokens: rollout.answer,
    thinkingLogProbabilities: Array.from(rollout.thinkingStats.logp),
    answerLogProbabilities: Array.from(rollout.answerStats.logp),
  };
}
