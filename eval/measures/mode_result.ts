import type { ThinkingEnd } from "../../model/generation/thinking_text.ts";
import type { InferenceMode, Mode } from "../modes.ts";
import type { RolloutRecord } from "../results/rollout_record.ts";
import type { Question } from "../task.ts";
import { entropyProfile, type EntropyRow } from "./entropy_profile.ts";
import { type Estimate, greedyAccuracy, passAtKOver, type QuestionResult, usualKs } from "./pass_at_k.ts";

/** What one mode came to. */
export interface ModeResult {
  /** Which one. */
  mode: Mode;
  /** Samples of each question: 1 in greedy modes. */
  samples: number;
  /** Share of right answers: greedy@1, or pass@1 over all samples. */
  accuracy: Estimate;
  /** pass@k for k = 1, 2, 4, ... up to the number of samples. */
  passAt: (Estimate & { k: number })[];
  /** Share of rollouts whose box could be read. */
  extracted: Estimate;
  /** Mean reward, 0 to 100. */
  reward: number;
  /** Mean steps of thinking. */
  thinkingLength: number;
  /** Shares of rollouts by what ended their thinking. */
  ended: Record<ThinkingEnd, number>;
  /** Mean entropy of the token distribution (tau = 1) over thinking steps, in nats; null if there were none. */
  entropy: number | null;
  /** The same by position. */
  entropyByPosition: EntropyRow[];
  /** Thinking and answer tokens that were generated. */
  tokens: number;
  /** Time of generation. */
  seconds: number;
  /** `tokens` over `seconds`. */
  tokensPerSecond: number;
  /** Useful operations of generation: matrix products and causal attention. */
  flops: number;
  /** Question by question, for paired comparisons. */
  questions: (QuestionResult & { id: string })[];
}

/** Gathers the rollouts of a mode. */
export interface ModeTally {
  /** Takes a rollout, in whatever order; `place` is that of its question in the list. */
  add(place: number, record: RolloutRecord, flops: number): void;
  /** Whether a rollout is in already. */
  has(place: number, sample: number): boolean;
  /** Rollouts so far. */
  readonly count: number;
  /** From the mode's beginning to the end of the last rollout so far, interruptions apart. */
  readonly seconds: number;
  /** Share of right answers so far; 0 before the first. */
  accuracy(): number;
  result(): ModeResult;
}

/** What is kept of a rollout: texts and tokens are not. */
interface Kept {
  correct: boolean;
  extracted: boolean;
  reward: number;
  ended: ThinkingEnd;
  entropies: Float64Array;
  answerTokens: number;
  flops: number;
}

/** An empty tally over these questions. Results do not depend on the order in which rollouts end. */
export function modeTally({ name, greedy }: InferenceMode, questions: readonly Question[]): ModeTally {
  const kept: Kept[][] = questions.map(() => []);
  let [count, right, seconds] = [0, 0, 0];
  return {
    add(place, record, flops) {
      if (kept[place][record.sample] === undefined) count++;
      if (record.correct) right++;
      seconds = Math.max(seconds, record.time.elapsed);
      kept[place][record.sample] = {
        correct: record.correct,
        extracted: record.boxed !== null,
        reward: record.reward,
        ended: record.thinkingEnd,
        entropies: Float64Array.from(record.thinkingEntropies),
        answerTokens: record.answerTokens.length,
        flops,
      };
    },
    has: (place, sample) => kept[place][sample] !== undefined,
    get count() {
      return count;
    },
    get seconds() {
      return seconds;
    },
    accuracy: () => count === 0 ? 0 : right / count,
    result: () => summarise(name, greedy, questions, kept, seconds),
  };
}

function summarise(
  mode: Mode,
  greedy: boolean,
  questions: readonly Question[],
  kept: readonly (readonly Kept[])[],
  seconds: number,
): ModeResult {
  const all = kept.flat();
  const sum = (value: (one: Kept) => number) => all.reduce((total, one) => total + value(one), 0);
  const share = (value: (one: Kept) => number) => sum(value) / all.length;
  const hits = (hit: (one: Kept) => boolean) =>
    kept.map((samples): QuestionResult => ({ correct: samples.filter(hit).length, samples: samples.length }));
  const correct = hits(({ correct }) => correct);
  const entropy = entropyProfile();
  for (const { entropies } of all) entropy.add(entropies);
  const ended = (how: ThinkingEnd) => share((one) => one.ended === how ? 1 : 0);
  const tokens = sum(({ entropies, answerTokens }) => entropies.length + answerTokens);
  const { samples } = correct[0];
  return {
    mode,
    samples,
    accuracy: estimate(correct, 1),
    passAt: (greedy ? [1] : usualKs(samples)).map((k) => ({ k, ...estimate(correct, k) })),
    extracted: estimate(hits(({ extracted }) => extracted), 1),
    reward: share(({ reward }) => reward),
    thinkingLength: share(({ entropies }) => entropies.length),
    ended: { "trigger": ended("trigger"), "end-token": ended("end-token"), "limit": ended("limit") },
    entropy: entropy.mean(),
    entropyByPosition: entropy.rows(),
    tokens,
    seconds,
    tokensPerSecond: tokens / seconds,
    flops: sum(({ flops }) => flops),
    questions: questions.map(({ id }, i) => ({ id, ...correct[i] })),
  };
}

/**
 * One sample a question has a binomial error; more are resampled by question. Where all questions came out alike,
 * resampling knows no error either, and the binomial one of as many single answers serves.
 */
function estimate(results: readonly QuestionResult[], k: number): Estimate {
  const single = (isRight: (result: QuestionResult) => boolean) => greedyAccuracy(results.map(isRight));
  if (results.every(({ samples }) => samples === 1)) return single(({ correct }) => correct === 1);
  const sampled = passAtKOver(results, k);
  const isExtreme = sampled.value === 0 || sampled.value === 1;
  return isExtreme ? single(() => sampled.value === 1) : sampled;
}
