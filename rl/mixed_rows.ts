import type { Scratch } from "../gpu/arena.ts";
import { type FewTokens, scatterTokens } from "../gpu/ops/few/few_tokens.ts";
import { gather } from "../gpu/ops/gather/gather.ts";
import { matmulTN } from "../gpu/ops/matmul/matmul.ts";
import { rowsOf, type Tensor } from "../gpu/tensor.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { headChunkRows } from "../model/transformer/head.ts";
import type { Gradients } from "../model/transformer/params.ts";
import type { Model } from "../model/transformer/transformer.ts";
import type { Action } from "./packed_batch.ts";
import { uploadWords } from "./through_head.ts";

/** Room for the tokens and weights of the rows that thinking fed, action by action, where the way of thinking mixes a few. */
export function createMixedRows(
  scratch: Scratch,
  { few }: Thinking,
  actions: readonly Action[],
): FewTokens | undefined {
  if (few === undefined || actions.length === 0) return undefined;
  return {
    ids: scratch.u32([actions.length, few], "mixed tokens"),
    values: scratch.f32([actions.length, few], "mixed weights"),
  };
}

/**
 * Adds to the embedding's gradient, where it trains, what later steps send into the rows that thinking mixed: w^T dx, dx [rows, d] of the
 * packed rows, w the weights over the vocabulary, a chunk of rows at a time.
 */
export function mixedRowsBackward(
  model: Model,
  grads: Gradients,
  actions: readonly Action[],
  mixed: FewTokens,
  dx: Tensor,
): void {
  const { embedding } = grads;
  if (!embedding) return;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const made = uploadWords(model, scratch, Uint32Array.from(actions, (action) => action.made));
  const ones = scratch.f32([actions.length], "ones");
  gpu.commands.upload(ones, new Float32Array(actions.length).fill(1));
  const stats = scratch.f32([actions.length, 4], "stats of weights");
  const chunk = headChunkRows(model);
  for (let first = 0; first < actions.length; first += chunk) {
    using temporary = gpu.arena.scratch();
    const count = Math.min(chunk, actions.length - first);
    const of = (tensor: Tensor) => rowsOf(tensor, first, count);
    const weights = temporary.f32([count, config.vocabSize], "weights over the vocabulary");
    const few = { ids: of(mixed.ids), values: of(mixed.values) };
    scatterTokens(gpu, few, of(ones), weights, 0, of(stats));
    const rows = temporary.f32([count, config.hiddenSize], "d mixed rows");
    gather(gpu, dx, of(made), rows);
    matmulTN(gpu, weights, rows, embedding, { accumulate: true });
  }
}
