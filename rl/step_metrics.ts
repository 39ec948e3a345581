import type { ModelConfig } from "../model/config.ts";
import type { Rollout } from "../model/generate.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { type Mismatch, mismatchOf } from "./mismatch.ts";
import type { ActionRecord } from "./objective.ts";
import type { ScoredGroup } from "./packed_batch.ts";
import { batchFlops, updateFlops } from "./flops.ts";
import type { RolloutBatch } from "./rollout.ts";

/** One line of metrics.jsonl. All but `time` is the same whenever and however often the step is run. */
export interface StepMetrics extends Mismatch {
  /** Counted from 1. */
  step: number;
  /** Mean reward, 0 to 100. */
  reward: number;
  /** Share of rollouts whose answer is right. */
  accuracy: number;
  /** Share with an answer in the box. */
  extracted: number;
  /** Answers that the checker gave up on (its clock, or too large to decide): they count as wrong. */
  undecided: number;
  /** Share whose thinking ended by the trigger. */
  triggered: number;
  /** Mean number of thinking steps. */
  thinking_tokens: number;
  /** Mean number of answer tokens. */
  answer_tokens: number;
  /** Mean entropy (nats, at temperature 1) of thinking steps. */
  thinking_entropy: number;
  /** The same of answer tokens. */
  answer_entropy: number;
  /** Share of groups whose rewards are all equal. */
  equal_groups: number;
  /** Norm of the whole gradient before clipping. */
  gradient_norm: number;
  /** The learning rate of the update. */
  lr: number;
  /** Thinking positions whose gradient on the logits is over 30 times the root mean square of the batch. */
  spikes: number;
  /** Largest of those norms. */
  step_norm_max: number;
  /** Useful floating-point operations of the rollouts. */
  rollout_flops: number;
  /** Those of the update. */
  update_flops: number;
  /** What depends on the clock. */
  time: StepTime;
}

/** What depends on the clock. */
export interface StepTime {
  /** Seconds of the whole step. */
  step: number;
  /** Seconds of generation. */
  rollout: number;
  /** Seconds of grading. */
  grade: number;
  /** Seconds of objective, backward pass and optimizer. */
  update: number;
  /** Generated tokens a second of generation. */
  rollout_tokens_per_second: number;
  /** Useful GFLOP/s of the update. */
  update_gflops: number;
}

/** Gathers a step's numbers. */
export function stepMetrics(
  { config, thinking }: { config: ModelConfig; thinking: Thinking },
  step: number,
  batch: RolloutBatch,
  parts: readonly ScoredGroup[][],
  records: readonly ActionRecord[],
  measured: {
    gradientNorm: number;
    lr: number;
    seconds: Pick<StepTime, "step" | "rollout" | "grade" | "update">;
  },
): StepMetrics {
  const graded = batch.groups.flatMap(({ rollouts }) => rollouts);
  const rollouts = graded.map(({ rollout }) => rollout);
  const mean = (value: (item: typeof graded[number]) => number) =>
    graded.reduce((sum, item) => sum + value(item), 0) / graded.length;
  const tokens = rollouts.reduce((sum, { thinking, answer }) => sum + thinking.length + answer.length, 0);
  const rolloutWork = batchFlops(config, batch, thinking.continuous);
  const updateWork = updateFlops(config, parts, thinking.continuous);
  const { seconds } = measured;
  return {
    step,
    reward: mean(({ grade }) => grade.reward),
    accuracy: mean(({ grade }) => grade.correct ? 1 : 0),
    extracted: mean(({ grade }) => grade.answer === null ? 0 : 1),
    undecided: graded.filter(({ grade }) => UNDECIDED.includes(grade.rule ?? "")).length,
    triggered: mean(({ rollout }) => rollout.thinkingEnd === "trigger" ? 1 : 0),
    thinking_tokens: mean(({ rollout }) => rollout.thinking.length),
    answer_tokens: mean(({ rollout }) => rollout.answer.length),
    thinking_entropy: meanEntropy(rollouts, (rollout) => rollout.thinkingStats.entropy),
    answer_entropy: meanEntropy(rollouts, (rollout) => rollout.answerStats.entropy),
    equal_groups: 1 - signalGroups(batch) / batch.groups.length,
    gradient_norm: measured.gradientNorm,
    lr: measured.lr,
    ...stepNorms(records),
    ...mismatchOf(thinking, batch, parts, records),
    rollout_flops: rolloutWork,
    update_flops: updateWork,
    time: {
      ...seconds,
      rollout_tokens_per_second: tokens / seconds.rollout,
      update_gflops: updateWork / seconds.update / 1e9,
    },
  };
}

const signalGroups = (batch: RolloutBatch): number =>
  batch.groups.filter(({ rollouts }) =>
    rollouts.some(({ grade }) => grade.reward !== rollouts[0].grade.reward)
  ).length;

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
