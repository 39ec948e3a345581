/**
 * How long an update takes with so many learners and workers: the one place for its formulae. Nothing overlaps in them but what a training
 * does at the same time on different devices, all rollouts are as long as they may be, and all devices are alike.
 *
 * N learners of B / N questions, R = B G / N rollouts each; M workers; P trained numbers, 4 P bytes.
 *
 * @module
 */
import { sliceOf } from "../cluster/add_up.ts";
import { BUCKET } from "../cluster/buckets.ts";
import { largestShare } from "../cluster/learners.ts";
import {
  bytesOfStep,
  type QuestionWork,
  type ScaledTraining,
  stepsOf,
  trainedCount,
} from "./question_work.ts";
import type { Rates } from "./rates.ts";

/** Who trains, and how an update is shared out. */
export interface Cluster {
  /** N, processes with a device each. */
  learners: number;
  /** M, processes with a device each that make rollouts alone. */
  workers: number;
  /** Learners make none. */
  workersOnly: boolean;
  /** B, of all learners together. */
  questions: number;
  /** Moments are shared out. */
  shardOptimizer: boolean;
  /** Rollouts that a learner, and that a worker, generates at once at most. */
  slots: { learner: number; worker: number };
}

/** Seconds of an update's parts, one after another, of the learner that takes the longest. */
export interface UpdateSeconds {
  /** Rollouts, with the way of weights to workers and of results back where that takes longer than the learner's own. */
  rollout: number;
  /** What of that are weights: written, fetched, loaded. */
  weights: number;
  /** Forward and backward passes. */
  passes: number;
  /** Norm and AdamW. */
  optimizer: number;
  /** Sums of gradients. */
  sum: number;
  /** Weights between learners, with sharded moments. */
  spread: number;
  total: number;
}

/**
 * Seconds of generating `rollouts` on one device. Each of L steps costs its dispatches and reads all weights, however many rows take it:
 *
 *     ceil(rollouts / slots) L (dispatches dispatch + W / memory)  +  rollouts (operations / rollout + keys and values / memory)
 *
 * A step has as many dispatches as `softcot bench --count` counts for a GPU.
 */
export function rolloutSeconds(
  training: ScaledTraining,
  { rolloutFlops, kvBytes }: Pick<QuestionWork, "rolloutFlops" | "kvBytes">,
  rollouts: number,
  slots: number,
  rates: Rates,
): number {
  const step = dispatchesOf(training) * rates.dispatch + bytesOfStep(training) / rates.memory;
  const each = (rolloutFlops / rates.rollout + kvBytes / rates.memory) / training.group;
  const waves = Math.max(1, Math.ceil(rollouts / slots));
  return waves * stepsOf(training) * step + rollouts * each;
}

/** Of a layer, and of a step beside its layers. */
const DISPATCHES = { layer: 5, adaptedLayer: 9, beside: 5 };

/** Dispatches of a step of generation. */
export const dispatchesOf = ({ config, rank }: Pick<ScaledTraining, "config" | "rank">): number =>
  (rank === undefined ? DISPATCHES.layer : DISPATCHES.adaptedLayer) * config.layers + DISPATCHES.beside;

/**
 * Seconds of a sum of gradients over N learners (`add_up.ts`): to the process and back to the device, all-to-all and all-gather of
 * (N - 1) / N of the bytes each, N - 1 additions of a part, and 2 (N - 1) messages a slice:
 *
 *     2 (4 P) / copy + (N - 1) / N (4 P) (2 / link + 1 / add) + 2 (N - 1) ceil(P / slice) message
 */
export function sumSeconds(trained: number, learners: number, { copy, link, add, message }: Rates): number {
  if (learners === 1) return 0;
  const bytes = 4 * trained;
  const others = bytes * (learners - 1) / learners;
  return 2 * bytes / copy + others * (2 / link + 1 / add) +
    2 * (learners - 1) * Math.ceil(trained / sliceOf(learners, BUCKET)) * message;
}

/**
 * Seconds until all learners have the weights that each has updated a share of (`shardedUpdate`): the own share to the process, an all-gather,
 * the others' to the device:
 *
 *     4 P / copy + (N - 1) / N (4 P) / link + (N - 1) ceil(P / bucket) message
 */
export function spreadSeconds(trained: number, learners: number, { copy, link, message }: Rates): number {
  if (learners === 1) return 0;
  const bytes = 4 * trained;
  return bytes / copy + bytes * (learners - 1) / learners / link +
    (learners - 1) * Math.ceil(trained / BUCKET) * message;
}

/**
 * Seconds of norm and AdamW: gradients are zeroed and read for the norm; of the own share gradient, weight and moments are read, weight and
 * moments written:
 *
 *     4 P (2 + 7 / shares) / memory
 */
export const optimizerSeconds = (trained: number, shares: number, { memory }: Rates): number =>
  4 * trained * (2 + 7 / shares) / memory;

/** A forward pass more than without, of three in the update's count. */
const RECOMPUTED = 4 / 3;

/** Seconds of an update. */
export function updateSeconds(
  training: ScaledTraining,
  work: QuestionWork,
  cluster: Cluster,
  rates: Rates,
): UpdateSeconds {
  const { learners, questions, shardOptimizer } = cluster;
  const trained = trainedCount(training);
  const share = largestShare(questions, { size: learners });
  const passes = share * work.updateFlops * (training.recompute ? RECOMPUTED : 1) / rates.update;
  const shards = shardOptimizer && learners > 1;
  const parts = {
    ...rolloutPhase(training, work, cluster, rates),
    passes,
    optimizer: optimizerSeconds(trained, shards ? learners : 1, rates),
    sum: sumSeconds(trained, learners, rates),
    spread: shards ? spreadSeconds(trained, learners, rates) : 0,
  };
  const { rollout, optimizer, sum, spread } = parts;
  return { ...parts, total: rollout + passes + optimizer + sum + spread };
}

/**
 * Each learner cuts its R rollouts into M parts, and one for itself (`share_jobs.ts`); a worker makes one of each learner's. Before, each
 * learner saves the weights; while it makes its own part, workers fetch them, ceil(M / N) from each learner, load them and make theirs:
 *
 *     4 P / save + max(own part, 4 P (ceil(M / N) / fetch + 1 / load) + N parts + results / queue)
 */
function rolloutPhase(
  training: ScaledTraining,
  work: QuestionWork,
  { learners, workers, workersOnly, questions, slots }: Cluster,
  rates: Rates,
): Pick<UpdateSeconds, "rollout" | "weights"> {
  const rollouts = largestShare(questions, { size: learners }) * training.group;
  const secondsOf = (count: number, slots: number) => rolloutSeconds(training, work, count, slots, rates);
  if (workers === 0) return { rollout: secondsOf(rollouts, slots.learner), weights: 0 };
  const part = Math.ceil(rollouts / (workers + (workersOnly ? 0 : 1)));
  const bytes = 4 * trainedCount(training);
  const fetched = bytes * (Math.ceil(workers / learners) / rates.fetch + 1 / rates.load);
  const sent = Math.min(rollouts, workers * part) * learners;
  const results = sent * work.resultBytes / training.group / rates.queue;
  const saved = bytes / rates.save;
  const theirs = fetched + learners * secondsOf(part, slots.worker) + results;
  const own = workersOnly ? 0 : secondsOf(part, slots.learner);
  return { rollout: saved + Math.max(own, theirs), weights: saved + fetched };
}

/** How much of an added learner is speed: T(1) / (N T(N)). */
export interface Worth {
  learners: number;
  /** Seconds of an update. */
  seconds: number;
  /** T(1) / T(N). */
  speedUp: number;
  /** That by learner: 1 where twice as many take half as long. */
  each: number;
}

/**
 * The same update with 1 to `most` learners.
 * @param most no more than there are questions
 */
export function speedUps(secondsWith: (learners: number) => number, most: number): Worth[] {
  const alone = secondsWith(1);
  return Array.from({ length: most }, (_, i) => {
    const seconds = secondsWith(i + 1);
    const speedUp = alone / seconds;
    return { learners: i + 1, seconds, speedUp, each: speedUp / (i + 1) };
  });
}

/** The most learners whose speed-up, by learner, is still `worth` it: beyond, adding some stops paying. */
export const mostThatPay = (all: readonly Worth[], worth: number): number =>
  all.findLast(({ each }) => each >= worth)?.learners ?? 1;
