import type { Scratch } from "../gpu/arena.ts";
import { gather } from "../gpu/ops/gather/gather.ts";
import { reshape, type Tensor } from "../gpu/tensor.ts";
import type { Model } from "../model/transformer/transformer.ts";
import type { PackedBatch } from "./packed_batch.ts";
import { uploadWords } from "./through_head.ts";

/**
 * The rows [rows, d] that a model reads of a packed micro-batch: its own embedding's where they are tokens, those that thinking fed where they
 * are thoughts.
 * @param hidden [rollouts, steps, d]: the rows that continuous thinking fed; undefined where thoughts are tokens
 */
export function packedInput(
  model: Model,
  { ids, hiddenRows }: Pick<PackedBatch, "ids" | "hiddenRows">,
  hidden: Tensor | undefined,
  scratch: Scratch,
): Tensor {
  const { gpu, config, params } = model;
  const d = config.hiddenSize;
  const x = scratch.f32([ids.length, d], "training rows");
  gather(gpu, params.embedding, uploadWords(model, scratch, ids), x);
  if (hidden) {
    const [rollouts, steps] = hidden.shape;
    gather(gpu, reshape(hidden, [rollouts * steps, d]), uploadWords(model, scratch, hiddenRows), x);
  }
  return x;
}
