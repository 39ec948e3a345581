import type { Rollout } from "../model/generate.ts";
import type { ThinkingEnd } from "../model/thinking_text.ts";
import { entropyProfile, type EntropyRow } from "./entropy.ts";
import type { InferenceMode, Mode } from "./modes.ts";
import { type Estimate, greedyAccuracy, passAtKOver, type QuestionResult, usualKs } from "./pass_at_k.ts";
import type { RolloutRecord } from "./rollout_record.ts";
import type { Question } from "./task.ts";

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
  add(question: number, record: RolloutRecord, rollout: Rollout, flops: number): void;
  addSeconds(seconds: number): void;
  /** Share of right answers so far; 0 before the first. */
  accuracy(): number;
  result(): ModeResult;
}

/** An empty tally over these questions. */
export function modeTally({ name, greedy }: InferenceMode, questions: readonly Question[]): ModeTally {
  const correct = questions.map(({ id }) => ({ id, correct: 0, samples: 0 }));
  const extracted = questions.map(() => ({ correct: 0, samples: 0 }));
  const entropy = entropyProfile();
  const ended = { "trigger": 0, "end-token": 0, "limit": 0 };
  let [rollouts, right, reward, thinking, tokens, seconds, flops] = [0, 0, 0, 0, 0, 0, 0];
  const count = (to: QuestionResult, hit: boolean) => {
    to.samples++;
    if (hit) to.correct++;
  };
  return {
    add(question, record, rollout, operations) {
      count(correct[question], record.correct);
      count(extracted[question], record.boxed !== null);
      entropy.add(rollout.thinkingStats.entropy);
      ended[rollout.thinkingEnd]++;
      rollouts++;
      if (record.correct) right++;
      reward += record.reward;
      thinking += rollout.thinking.length;
      tokens += rollout.thinking.length + rollout.answer.length;
      flops += operations;
    },
    addSeconds: (more) => void (seconds += more),
    accuracy: () => rollouts === 0 ? 0 : right / rollouts,
    result() {
      const samples = correct[0].samples;
      const share = (n: number) => n / rollouts;
      return {
        mode: name,
        samples,
        accuracy: estimate(correct, 1),
        passAt: (greedy ? [1] : usualKs(samples)).map((k) => ({ k, ...estimate(correct, k) })),
        extracted: estimate(extracted, 1),
        reward: share(reward),
        thinkingLength: share(thinking),
        ended: {
          "trigger": share(ended.trigger),
          "end-token": share(ended["end-token"]),
          "limit": share(ended.limit),
        },
        entropy: entropy.mean(),
        entropyByPosition: entropy.rows(),
        tokens,
        seconds,
        tokensPerSecond: tokens / seconds,
        flops,
        questions: correct,
      };
    },
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
