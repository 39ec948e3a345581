import type { Rollout } from "../../model/generation/rollout.ts";
import { generatedText, type ThinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { idsOf, type KeptSteps, piecesOf } from "./kept_steps.ts";
import type { Mode } from "../modes.ts";
import type { Grade, Question } from "../task.ts";

/** One rollout as it is written to a file: what was asked, thought and answered, the verdict, and where it is kept what steps were made of. */
export interface RolloutRecord extends Partial<KeptSteps> {
  /** How it was run. */
  mode: Mode;
  /** The question's place among the different questions of its split, from 0. */
  index: number;
  /** Id of the question. */
  id: string;
  /** Text of the question. */
  question: string;
  /** The right answer. */
  gold: string;
  /** Which of the question's samples, from 0. */
  sample: number;
  /** All that was generated: thinking (its shadow, where it is soft or fuzzy), forced text, answer. */
  text: string;
  /** Text of the thinking's most probable tokens, where it is soft or fuzzy; null where it is hard. */
  shadow: string | null;
  /** The text forced between thinking and answer. */
  forced: string;
  /** Text of the answer's tokens. */
  answer: string;
  /** What the box holds; null if nothing can be extracted. */
  boxed: string | null;
  /** Whether the boxed answer is equivalent to the gold answer. */
  correct: boolean;
  /** The checker's rule that decided; null if there was nothing to check. */
  rule: string | null;
  /** 100, 10 or 0. */
  reward: Grade["reward"];
  /** Why the thinking ended. */
  thinkingEnd: Rollout["thinkingEnd"];
  /** Why the answer ended. */
  answerEnd: Rollout["answerEnd"];
  /** Tokens of the prompt. */
  promptTokens: number;
  /** Ids of the thinking's tokens, or shadows. */
  thinkingTokens: number[];
  /** Ids of the forced text. */
  forcedTokens: number[];
  /** Ids of the answer's tokens. */
  answerTokens: number[];
  /** ln p of each token at the temperature it was drawn with; of greedy ones at 1, of shadows at that of the mixture. */
  thinkingLogProbabilities: number[];
  /** The same of the answer's tokens. */
  answerLogProbabilities: number[];
  /** Entropy of the token distribution at temperature 1 at each step of the thinking, in nats. */
  thinkingEntropies: number[];
  /** What depends on the clock: seconds from its beginning to its end, and since its mode began (whatever stopped it). */
  time: { seconds: number; elapsed: number };
}

/** What a record is made from, beside the rollout. */
interface RecordParts {
  tokenizer: Tokenizer;
  rules: ThinkingRules;
  mode: Mode;
  /** Whether the thinking is mixtures, whose tokens are but a shadow. */
  continuous: boolean;
  question: Question;
  /** Place of the question. */
  index: number;
  sample: number;
  promptTokens: number;
  time: RolloutRecord["time"];
  /** What its steps were made of, where that is kept; its texts are made here. */
  kept?: Omit<KeptSteps, "pieces">;
}

/** A graded rollout as a reader needs it. Numbers are rounded to seven digits: what is read back is what was written. */
export function recordOf(rollout: Rollout, grade: Grade, parts: RecordParts): RolloutRecord {
  const { tokenizer, rules, mode, question: { id, question, gold }, index, sample, time } = parts;
  const thinking = generatedText(tokenizer, rollout.thinking, rules);
  const forced = tokenizer.decode(rollout.forced, true);
  const answer = generatedText(tokenizer, rollout.answer, rules);
  return {
    mode,
    index,
    id,
    question,
    gold,
    sample,
    text: thinking + forced + answer,
    shadow: parts.continuous ? thinking : null,
    forced,
    answer,
    boxed: grade.answer,
    correct: grade.correct,
    rule: grade.rule,
    reward: grade.reward,
    thinkingEnd: rollout.thinkingEnd,
    answerEnd: rollout.answerEnd,
    promptTokens: parts.promptTokens,
    thinkingTokens: rollout.thinking,
    forcedTokens: [...rollout.forced],
    answerTokens: rollout.answer,
    thinkingLogProbabilities: rounded(rollout.thinkingStats.logp),
    answerLogProbabilities: rounded(rollout.answerStats.logp),
    thinkingEntropies: rounded(rollout.thinkingStats.entropy),
    ...(parts.kept ? withPieces(tokenizer, rollout, parts.kept) : {}),
    time: { seconds: shortened(time.seconds), elapsed: shortened(time.elapsed) },
  };
}

function withPieces(
  tokenizer: Tokenizer,
  { thinking, forced, answer }: Rollout,
  kept: Omit<KeptSteps, "pieces">,
): KeptSteps {
  const ids = [...thinking, ...forced, ...answer, ...idsOf(kept.mixtures)];
  return { ...kept, pieces: piecesOf(tokenizer, ids) };
}

/** Seven digits: as many as an f32 has. JSON has no infinities; a token of probability 0 keeps the smallest logarithm. */
const rounded = (values: Float32Array): number[] => Array.from(values, shortened);

const shortened = (value: number): number => Number(Math.max(-3e38, Math.min(3e38, value)).toPrecision(7));
