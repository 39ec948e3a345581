import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { rmsNorm } from "../../gpu/ops/norm/rms_norm.ts";
import { asMatrix, type Tensor } from "../../gpu/tensor.ts";
import { type Adapter, freeAdapter } from "./adapter.ts";
import {
  blockForward,
  blockForwardSaved,
  type BlockGradients,
  type BlockSaved,
  type BlockWeights,
  type RowsContext,
} from "./block.ts";
import { blockBackward } from "./block_backward.ts";
import type { ModelConfig } from "./config.ts";
import type { KvCache } from "./kv_cache.ts";
import { STRIDE } from "./stride_steps.ts";
import {
  createParams,
  freeParams,
  type Gradients,
  type Params,
  vectorOf,
  type WeightTypes,
} from "./params.ts";
import { createRopeTable, emptyRopeTable } from "./rope_table.ts";

/** A transformer on the device. */
export interface Model {
  /** Where it lives. */
  gpu: Gpu;
  /** Its shape. */
  config: ModelConfig;
  /** Its weights. */
  params: Params;
  /** cos and sin of every position and a few more, [positions, hd / 2, 2]. */
  ropeTable: Tensor;
  /** A low-rank update of its projections: then that is what trains, and nothing else. */
  adapter?: Adapter;
}

/** A model with zeroed weights; those that are not f32 are for reading alone: generation, and the base of an adapter. */
export function createModel(gpu: Gpu, config: ModelConfig, types: WeightTypes = "f32"): Model {
  if (config.headDim % 4 !== 0) {
    throw new Error(`Cannot build a model: head size ${config.headDim} is not a multiple of 4`);
  }
  const table = createRopeTable(gpu, config);
  return { gpu, config, params: createParams(gpu, config, types, "weight"), ropeTable: table };
}

/** The same without its numbers: for a device that counts memory and computes nothing. */
export function createEmptyModel(gpu: Gpu, config: ModelConfig, types: WeightTypes = "f32"): Model {
  return {
    gpu,
    config,
    params: createParams(gpu, config, types, "weight"),
    ropeTable: emptyRopeTable(gpu, config),
  };
}

/** Positions that a text can have: those the model was made for, or fewer where the device's bindings are small. */
export const contextOf = ({ ropeTable }: Pick<Model, "ropeTable">): number => ropeTable.shape[0] - STRIDE;

/** Frees a model's memory. */
export function freeModel(model: Model): void {
  freeParams(model.gpu, model.params);
  if (model.adapter) freeAdapter(model.gpu, model.adapter);
  model.gpu.arena.free(model.ropeTable);
}

/** The weights of block i, adapted where the model is. */
function blockOf({ params, adapter }: Model, i: number): BlockWeights {
  return adapter ? { ...params.layers[i], adapter: adapter.layers[i] } : params.layers[i];
}

/** Where the gradients of block i go. */
function gradientsOf({ layers, lora }: Gradients, i: number): BlockGradients {
  return layers?.[i] ?? { adapter: lora?.[i] };
}

/** All blocks over rows x [rows, d], in place, their keys and values into the cache: prefill and decoding. */
export function forwardCached(
  model: Model,
  x: Tensor,
  cache: KvCache,
  at: Omit<RowsContext, "ropeTable">,
): void {
  const context = { ...at, ropeTable: model.ropeTable };
  model.params.layers.forEach((_, i) => {
    blockForward(model.gpu, model.config, blockOf(model, i), x, cache.layers[i], context);
  });
}

/** y [rows, d] = the final norm of x, the rows that the LM head reads. */
export function finalNorm(model: Model, x: Tensor, y: Tensor, rinv: Tensor): void {
  rmsNorm(model.gpu, x, vectorOf(model.params.finalNorm), y, rinv, model.config.normEps);
}

/** What a training forward pass keeps for its backward. */
export interface ForwardSaved {
  /** Every block's activations, or with recomputation its input alone. */
  blocks: (BlockSaved | Tensor)[];
  /** Output of the last block [rows, d], before the final norm. */
  output: Tensor;
  at: RowsContext;
}

/** Forward over packed rows x [rows, d] (overwritten), for training. With `recompute` only block inputs are kept. */
export function forwardTraining(
  model: Model,
  x: Tensor,
  layout: { rowMeta: Tensor; tiles: Tensor },
  keep: Scratch,
  recompute: boolean,
): ForwardSaved {
  const { gpu, config } = model;
  const { rows, cols: d } = asMatrix(x);
  const at: RowsContext = { ...layout, ropeTable: model.ropeTable, shift: 0 };
  const blocks = model.params.layers.map((_, i) => {
    const layer = blockOf(model, i);
    if (!recompute) return blockForwardSaved(gpu, config, layer, x, at, keep);
    const input = keep.f32([rows, d], "block input");
    gpu.commands.copy(x, 0, input, 0, rows * d);
    using scratch = gpu.arena.scratch();
    blockForwardSaved(gpu, config, layer, x, at, scratch);
    return input;
  });
  return { blocks, output: x, at };
}

/** The same forward pass where no backward pass follows: nothing is kept, x becomes the output of the last block. */
export function forwardPacked(model: Model, x: Tensor, layout: { rowMeta: Tensor; tiles: Tensor }): void {
  const { gpu, config } = model;
  const at: RowsContext = { ...layout, ropeTable: model.ropeTable, shift: 0 };
  model.params.layers.forEach((_, i) => {
    using scratch = gpu.arena.scratch();
    blockForwardSaved(gpu, config, blockOf(model, i), x, at, scratch);
  });
}

/** dx [rows, d] holds dL/d(output) and becomes dL/d(input rows); `grads` grows by the gradients of what trains. */
export function backwardTraining(model: Model, saved: ForwardSaved, grads: Gradients, dx: Tensor): void {
  const { gpu, config } = model;
  for (let i = config.layers - 1; i >= 0; i--) {
    using scratch = gpu.arena.scratch();
    const kept = saved.blocks[i];
    const block = "gateUp" in kept ? kept : recomputed(model, i, kept, saved.at, scratch);
    blockBackward(gpu, config, blockOf(model, i), gradientsOf(grads, i), block, saved.at, dx);
  }
}

function recomputed(model: Model, i: number, input: Tensor, at: RowsContext, scratch: Scratch): BlockSaved {
  const { rows, cols: d } = asMatrix(input);
  const x = scratch.f32([rows, d], "recomputed");
  model.gpu.commands.copy(input, 0, x, 0, rows * d);
  return blockForwardSaved(model.gpu, model.config, blockOf(model, i), x, at, scratch);
}
