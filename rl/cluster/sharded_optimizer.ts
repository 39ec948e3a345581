import type { Gpu } from "../../gpu/gpu.ts";
import { adamW } from "../../gpu/ops/adamw/adamw.ts";
import { globalNorm } from "../../gpu/ops/adamw/global_norm.ts";
import type { Piece } from "../../gpu/reader.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { refreshAdapter } from "../../model/transformer/adapter.ts";
import { matricesOf, type Trainable } from "../../model/transformer/params.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { learningRate, type OptimizerSettings } from "../optimizer.ts";
import type { Learners } from "./learners.ts";

/** A learner's share of the moments: it updates these weights, and gets the others' from those whose they are (ZeRO, arXiv 1910.02054, stage 1). */
export interface ShardedOptimizer {
  /** Where all learners' shares lie in the weights, gradients and moments, share by share. */
  places: Place[][];
  /** Those of this learner. */
  own: Place[];
  /** First moments of its own share, a tensor for each of its places. */
  first: Tensor[];
  /** Second moments. */
  second: Tensor[];
  /** f32 [1]: the norm of the last gradient, before clipping. */
  norm: Tensor;
}

/** Some elements of one of the tensors that something trainable consists of. */
export interface Place {
  /** Number of the tensor. */
  tensor: number;
  /** Its first element: bindings begin at multiples of 64. */
  from: number;
  /** How many. */
  count: number;
}

const ALIGNED = 64;

/** Zeroed moments of one learner's share. */
export function createShardedOptimizer(
  gpu: Gpu,
  trained: Trainable,
  { rank, size }: Pick<Learners, "rank" | "size">,
): ShardedOptimizer {
  const places = sharesOf(tensorsOf(trained).map(({ shape }) => sizeOf(shape)), size);
  const own = places[rank];
  const moments = (label: string) => own.map(({ count }) => gpu.arena.create([count], "f32", label));
  return {
    places,
    own,
    first: moments("first moment of a share"),
    second: moments("second moment of a share"),
    norm: gpu.arena.create([1], "f32", "gradient norm"),
  };
}

/** Shares of equal size, up to alignment, of tensors laid end to end. */
export function sharesOf(counts: readonly number[], size: number): Place[][] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares: Place[][] = Array.from({ length: size }, () => []);
  let start = 0;
  counts.forEach((count, tensor) => {
    const cut = (r: number) => {
      const at = Math.ceil((r * total / size - start) / ALIGNED) * ALIGNED;
      return Math.max(0, Math.min(count, r === size ? count : at));
    };
    for (let r = 0; r < size; r++) {
      const [from, to] = [cut(r), cut(r + 1)];
      if (to > from) shares[r].push({ tensor, from, count: to - from });
    }
    start += count;
  });
  return shares;
}

/** One update of a model: of the own share by its moments, of the rest by what the other learners send. Its bits are those of an unsharded one. */
export async function shardedUpdate(
  { gpu, params, adapter }: Model,
  grads: Trainable,
  optimizer: ShardedOptimizer,
  settings: OptimizerSettings,
  step: number,
  learners: Learners,
): Promise<void> {
  const weights = tensorsOf(adapter?.params ?? params);
  const gradients = tensorsOf(grads);
  globalNorm(gpu, matricesOf(grads), optimizer.norm);
  const only = (tensor: Tensor) => ({ chunks: [tensor] });
  optimizer.own.forEach((place, i) => {
    const [gradient, weight] = [gradients, weights].map((tensors) => only(viewOf(tensors, place)));
    adamW(
      gpu,
      gradient,
      optimizer.norm,
      weight,
      only(optimizer.first[i]),
      only(optimizer.second[i]),
      { ...settings, lr: learningRate(settings, step), step },
    );
  });
  await learners.spread(gpu, piecesOf(weights, optimizer));
  if (adapter) refreshAdapter(gpu, adapter);
}

/** All moments, of all shares, into something of the form of what trains; to be called by all learners. */
export async function gatherMoments(
  gpu: Gpu,
  optimizer: ShardedOptimizer,
  which: "first" | "second",
  into: Trainable,
  learners: Learners,
): Promise<void> {
  const whole = tensorsOf(into);
  optimizer.own.forEach(({ tensor, from, count }, i) =>
    gpu.commands.copy(optimizer[which][i], 0, whole[tensor], from, count)
  );
  await learners.spread(gpu, piecesOf(whole, optimizer));
}

/** The own share out of all moments. */
export function takeShare(
  gpu: Gpu,
  optimizer: ShardedOptimizer,
  which: "first" | "second",
  from: Trainable,
): void {
  const whole = tensorsOf(from);
  optimizer.own.forEach(({ tensor, from, count }, i) =>
    gpu.commands.copy(whole[tensor], from, optimizer[which][i], 0, count)
  );
}

const tensorsOf = (params: Trainable): Tensor[] => matricesOf(params).flatMap(({ chunks }) => chunks);

const piecesOf = (tensors: readonly Tensor[], { places }: ShardedOptimizer): Piece[][] =>
  places.map((share) => share.map(({ tensor, from, count }) => ({ tensor: tensors[tensor], from, count })));

const viewOf = (tensors: readonly Tensor[], { tensor, from, count }: Place): Tensor => ({
  ...tensors[tensor],
  offset: tensors[tensor].offset + 4 * from,
  shape: [count],
});
