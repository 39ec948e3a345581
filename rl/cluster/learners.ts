import type { Gpu } from "../../gpu/gpu.ts";
import type { Piece } from "../../gpu/reader.ts";
import type { Tensor } from "../../gpu/tensor.ts";

/** What taking part in sums has cost a learner since an update began. */
export interface Spent {
  /** Seconds that it waited for others. */
  waited: number;
  /** Seconds of summing, once all were there. */
  summed: number;
  /** Bytes that it sent to others. */
  bytes: number;
}

/**
 * The processes that train one model together, each with a copy of its weights on a device of its own: learners. Each draws its share of an
 * update's questions; their gradients are summed. What all take part in, all call in one order.
 */
export interface Learners {
  /** Number of this one, from 0; that one writes the run. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** What each gives, in the order of their ranks, to all: plain data and typed arrays. */
  gather<T>(value: T): Promise<T[]>;
  /** Replaces tensors by their sums over all learners, added in the order of their ranks, so that sums repeat to the bit. */
  sum(gpu: Gpu, tensors: readonly Tensor[]): Promise<void>;
  /** Brings every learner's pieces to all others: `pieces[rank]` are that one's, the same list on all. */
  spread(gpu: Gpu, pieces: readonly (readonly Piece[])[]): Promise<void>;
  /** What summing has cost since this was last asked. */
  takeSpent(): Spent;
}

/** The one learner of a training by one process. */
export const ALONE: Learners = {
  rank: 0,
  size: 1,
  gather: (value) => Promise.resolve([value]),
  sum: () => Promise.resolve(),
  spread: () => Promise.resolve(),
  takeSpent: () => ({ waited: 0, summed: 0, bytes: 0 }),
};

/** Which of `count` things are a learner's: as many as others have or one more, in order. */
export function shareOf(
  count: number,
  { rank, size }: Pick<Learners, "rank" | "size">,
): { from: number; to: number } {
  return { from: Math.floor(rank * count / size), to: Math.floor((rank + 1) * count / size) };
}

/** The most of `count` things that one learner gets. */
export const largestShare = (count: number, { size }: Pick<Learners, "size">): number =>
  Math.ceil(count / size);
