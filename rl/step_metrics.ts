import type { Rollout } from "../model/generation/rollout.ts";
import { mixesVocabulary } from "../model/thinking/thinking.ts";
import type { Diagnosed } from "./diagnose.ts";
import { type Importance, importanceOf } from "./importance.ts";
import { type Mismatch, mismatchByDevice, mismatchOf, type OtherDevice } from "./mismatch.ts";
import type { ActionRecord } from "./objective.ts";
import type { ScoredGroup } from "./packed_batch.ts";
import { type Reward, TASK_REWARD } from "./reward.ts";
import type { Clock, StepPeaks, StepSeconds } from "./cluster/gather_clock.ts";
import { hasSignal } from "./refill.ts";
import type { GradedRollout, RolloutBatch } from "./rollout_source.ts";
import type { Trainer } from "./trainer.ts";
import { batchFlops, updateFlops } from "./update_flops.ts";

/**
 * One line of metrics.jsonl. All but `time` is the same whenever and however often the step is run; what {@link Diagnosed} has is there in the
 * updates that are diagnosed, what {@link Importance} has where rollouts are older than the last update.
 */
export interface StepMetrics extends Mismatch, Partial<Diagnosed>, Partial<Importance> {
  /** Counted from 1. */
  step: number;
  /** Mean reward; 0 to 100 where the task's own is the only one. */
  reward: number;
  /** Standard deviation of the rewards over all rollouts. */
  reward_sd: number;
  /** Mean of each reward before its weight, by its name, where there are others than the task's own. */
  rewards?: Record<string, number>;
  /** The standard deviations that go with these means. */
  rewards_sd?: Record<string, number>;
  /** Share of rollouts whose answer is right. */
  accuracy: number;
  /** Share with an answer in the box. */
  extracted: number;
  /** Answers that the checker gave up on (its clock, or too large to decide): they count as wrong. */
  undecided: number;
  /** Share whose box no brace closes. */
  unclosed: number;
  /** Share whose thinking ended by the trigger. */
  triggered: number;
  /** Share whose thinking was cut at its limit. */
  cut: number;
  /** Mean number of thinking steps. */
  thinking_tokens: number;
  /** Tenths from the shortest and from the longest: as many steps as at least a tenth, and nine tenths, of the rollouts do not exceed. */
  thinking_tokens_p10: number;
  /** See above. */
  thinking_tokens_p90: number;
  /** Mean number of thinking steps of the rollouts whose thinking ended by the trigger; null where none did. */
  thinking_tokens_ended: number | null;
  /** Mean number of answer tokens. */
  answer_tokens: number;
  /** Tokens generated, thinking and answers. */
  tokens: number;
  /** Mean entropy (nats, at temperature 1) of thinking steps. */
  thinking_entropy: number;
  /** The same of answer tokens. */
  answer_entropy: number;
  /** Share of groups whose rewards are all equal: their advantages are zero, and nothing is learned from them. */
  equal_groups: number;
  /** Questions drawn beyond those of the update, since groups had no difference; only where that is asked for. */
  refilled?: number;
  /** Norm of the whole gradient before clipping. */
  gradient_norm: number;
  /** The learning rate of the update. */
  lr: number;
  /** Thinking positions whose gradient on the logits is over 30 times the root mean square of the batch. */
  spikes: number;
  /** Largest of those norms. */
  step_norm_max: number;
  /** What devices of another kind than this process's came to, by their names, where workers have some. */
  other_devices?: Record<string, OtherDevice>;
  /** Useful floating-point operations of the rollouts. */
  rollout_flops: number;
  /** Those of the update. */
  update_flops: number;
  /** What depends on the clock. */
  time: StepTime;
}

/** What depends on the clock; of several learners that of the one that took the longest, or the most. */
export interface StepTime extends StepSeconds, StepPeaks {
  /** Generated tokens a second of generation. */
  rollout_tokens_per_second: number;
  /** Useful GFLOP/s of the update. */
  update_gflops: number;
}

/** Gathers a step's numbers. */
export function stepMetrics(
  { model: { config, adapter }, thinking, rewards, settings }: Pick<
    Trainer,
    "model" | "thinking" | "rewards" | "settings"
  >,
  step: number,
  { batch, parts, records }: {
    batch: RolloutBatch;
    parts: readonly ScoredGroup[][];
    records: readonly ActionRecord[];
  },
  measured: { gradientNorm: number; lr: number; diagnosed?: Diagnosed; clock: Clock },
): StepMetrics {
  const graded = batch.groups.flatMap(({ rollouts }) => rollouts);
  const rollouts = graded.map(({ rollout }) => rollout);
  const mean = (value: (item: typeof graded[number]) => number) =>
    graded.reduce((sum, item) => sum + value(item), 0) / graded.length;
  const tokens = rollouts.reduce((sum, { thinking, answer }) => sum + thinking.length + answer.length, 0);
  const rank = adapter?.settings.rank;
  const flops = {
    rollout: batchFlops(config, batch, mixesVocabulary(thinking), rank),
    update: updateFlops(config, parts, mixesVocabulary(thinking), rank),
  };
  const others = mismatchByDevice(thinking, batch, parts, records);
  const { seconds, learners, ...peaks } = measured.clock;
  return {
    step,
    reward: mean(({ reward }) => reward),
    reward_sd: deviation(graded.map(({ reward }) => reward)),
    ...rewardsApart(rewards, graded),
    accuracy: mean(({ grade }) => grade.correct ? 1 : 0),
    extracted: mean(({ grade }) => grade.answer === null ? 0 : 1),
    undecided: graded.filter(({ grade }) => UNDECIDED.includes(grade.rule ?? "")).length,
    unclosed: mean(({ rollout }) => rollout.answerEnd === "brace" ? 0 : 1),
    triggered: mean(({ rollout }) => rollout.thinkingEnd === "trigger" ? 1 : 0),
    cut: mean(({ rollout }) => rollout.thinkingEnd === "limit" ? 1 : 0),
    thinking_tokens: mean(({ rollout }) => rollout.thinking.length),
    ...lengthsOf(rollouts),
    tokens,
    answer_tokens: mean(({ rollout }) => rollout.answer.length),
    thinking_entropy: meanEntropy(rollouts, (rollout) => rollout.thinkingStats.entropy),
    answer_entropy: meanEntropy(rollouts, (rollout) => rollout.answerStats.entropy),
    equal_groups: 1 - signalGroups(batch) / batch.groups.length,
    ...(settings.refill ? { refilled: batch.groups.length - settings.questions } : {}),
    gradient_norm: measured.gradientNorm,
    lr: measured.lr,
    ...measured.diagnosed,
    ...stepNorms(records),
    ...mismatchOf(thinking, batch, parts, records),
    ...importanceOf(thinking, { staleness: settings.staleness, width: config.hiddenSize, step }, records),
    ...(others ? { other_devices: others } : {}),
    rollout_flops: flops.rollout,
    update_flops: flops.update,
    time: {
      ...seconds,
      rollout_tokens_per_second: tokens / seconds.rollout,
      update_gflops: flops.update / seconds.update / 1e9,
      ...peaks,
      ...(learners ? { learners } : {}),
    },
  };
}

function rewardsApart(
  rewards: readonly Reward[] = TASK_REWARD,
  graded: readonly GradedRollout[],
): Pick<StepMetrics, "rewards" | "rewards_sd"> {
  if (rewards.every(({ score }) => score === undefined)) return {};
  const byName = (measure: (values: number[]) => number) =>
    Object.fromEntries(rewards.map(({ name }, i) => [name, measure(graded.map((item) => item.rewards[i]))]));
  return { rewards: byName(meanOf), rewards_sd: byName(deviation) };
}

const signalGroups = (batch: RolloutBatch): number => batch.groups.filter(hasSignal).length;

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample; 0 of one number. */
function deviation(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
}

function lengthsOf(rollouts: readonly Rollout[]) {
  const sorted = rollouts.map(({ thinking }) => thinking.length).sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const ended = rollouts.filter(({ thinkingEnd }) => thinkingEnd === "trigger");
  const sum = ended.reduce((total, { thinking }) => total + thinking.length, 0);
  return {
    thinking_tokens_p10: rank(0.1),
    thinking_tokens_p90: rank(0.9),
    thinking_tokens_ended: ended.length === 0 ? null : sum / ended.length,
  };
}

function meanEntropy(rollouts: readonly Rollout[], pick: (rollout: Rollout) => Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const rollout of rollouts) {
    for (const value of pick(rollout)) sum += value;
    count += pick(rollout).length;
  }
  return count === 0 ? 0 : sum / count;
}

const UNDECIDED = ["time", "too large to decide"];
const SPIKE = 30;

function stepNorms(records: readonly ActionRecord[]): { spikes: number; step_norm_max: number } {
  const norms = records.flatMap(({ thinkingStats }) =>
    Array.from({ length: thinkingStats.length / 4 }, (_, i) => thinkingStats[4 * i])
  );
  if (norms.length === 0) return { spikes: 0, step_norm_max: 0 };
  const rms = Math.sqrt(norms.reduce((sum, norm) => sum + norm * norm, 0) / norms.length);
  return {
    spikes: norms.filter((norm) => norm > SPIKE * rms).length,
    step_norm_max: norms.reduce((most, norm) => Math.max(most, norm), 0),
  };
}
