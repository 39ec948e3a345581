import type { Grade, Question } from "../eval/task.ts";
import type { Scratch } from "../gpu/arena.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { RolloutsProgress } from "../model/generation/generate.ts";
import type { Rollout } from "../model/generation/rollout.ts";

/** A rollout with its verdict. */
export interface GradedRollout {
  /** What was generated. */
  rollout: Rollout;
  /** The task's verdict. */
  grade: Grade;
  /** What it is worth to the run: the weighted sum of its rewards. */
  reward: number;
  /** Each reward before its weight, in the order of the run's rewards. */
  rewards: number[];
}

/** All rollouts of one question. */
export interface RolloutGroup {
  /** What was asked. */
  question: Question;
  /** Ids of the prompt. */
  prompt: number[];
  /** G of them. */
  rollouts: GradedRollout[];
}

/** The rollouts of one step. */
export interface RolloutBatch {
  /** One a question. */
  groups: RolloutGroup[];
  /** [rollouts, steps, d]: rows that continuous thinking fed; it lives as long as the step's scratch. */
  hidden: Tensor;
  /** Time of the two phases. */
  seconds: { generate: number; grade: number };
}

/** Where a step's rollouts come from: this process, or a queue of workers. */
export interface RolloutSource {
  /**
   * Rollouts of some of one update's questions; `scratch` keeps `hidden`.
   * @param first number of the first rollout, which keys its draws: rollouts of one update never share one. Indices count from 0 all the same
   * @param onProgress called as tokens come
   */
  rollouts(
    step: number,
    questions: readonly Question[],
    scratch: Scratch,
    first?: number,
    onProgress?: RolloutsProgress,
  ): Promise<RolloutBatch>;
  /** Lets others begin with what {@link rollouts} will be asked for in a later update, whose rollouts are made with weights that are there. */
  begin?(step: number, questions: readonly Question[], first?: number): Promise<void>;
}
