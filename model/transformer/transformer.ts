import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { gather, type Segments, segmentsOf, segmentSum } from "../../gpu/ops/gather/gather.ts";
import { rmsNorm, rmsNormBackward } from "../../gpu/ops/norm/rms_norm.ts";
import { asMatrix, type Tensor } from "../../gpu/tensor.ts";
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
import { type KvCache, STRIDE } from "./kv_cache.ts";
import { ropeTable } from "./packing.ts";
import { type Adapter, freeAdapter } from "./adapter.ts";
import {
  createParams,
  freeParams,
  type Gradients,
  type Params,
  vectorOf,
  type WeightTypes,
} from "./params.ts";

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

// Long contexts have tables of many MiB: the heap holds a part of one at a time.
const ROPE_PIECE = 8192;

/** Room for all positions, or for as many as a binding holds. */
function emptyRopeTable(gpu: Gpu, config: ModelConfig): Tensor {
  const fitting = Math.floor(gpu.maxBinding / (4 * config.headDim));
  // Generation computes up to a stride past a rollout's end.
  const positions = Math.min(config.maxPosition + STRIDE, fitting);
  return gpu.arena.create([positions, config.headDim / 2, 2], "f32", "rope table");
}

/** Cosines and sines of all positions, or of as many as a binding holds: {@link contextOf} says how many. */
function createRopeTable(gpu: Gpu, config: ModelConfig): Tensor {
  const table = emptyRopeTable(gpu, config);
  const [positions] = table.shape;
  for (let from = 0; from < positions; from += ROPE_PIECE) {
    const piece = ropeTable(config, Math.min(ROPE_PIECE, positions - from), from);
    gpu.commands.upload(table, piece, from * config.headDim);
  }
  return table;
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

/** Rows of the final norm that are read, and where they come from: the LM head runs on action rows only. */
export interface PickedRows {
  index: Tensor; // u32 [picked]
  segments: Segments;
}

/** Uploads the choice of rows for {@link pickForward} and {@link pickBackward}. One row may be picked several times. */
export function pickRows(gpu: Gpu, scratch: Scratch, index: Uint32Array<ArrayBuffer>): PickedRows {
  const by = segmentsOf(index);
  const upload = (data: Uint32Array<ArrayBuffer>, shape: number[], label: string) => {
    const tensor = scratch.u32(shape, label);
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  return {
    index: upload(index, [index.length], "picked rows"),
    segments: {
      segments: upload(by.segments, [by.segments.length / 4, 4], "segments"),
      list: upload(by.list, [by.list.length], "segment list"),
    },
  };
}

/** The picked rows, final-normed: x [picked, d] unnormed, y [picked, d], rinv [picked]. */
export interface HeadInput {
  x: Tensor;
  y: Tensor;
  rinv: Tensor;
}

/** Gathers the picked rows of the last block's output and norms them. */
export function pickForward(model: Model, output: Tensor, picked: PickedRows, scratch: Scratch): HeadInput {
  const count = picked.index.shape[0];
  const d = model.config.hiddenSize;
  const input: HeadInput = {
    x: scratch.f32([count, d], "head x"),
    y: scratch.f32([count, d], "head y"),
    rinv: scratch.f32([count], "head rinv"),
  };
  gather(model.gpu, output, picked.index, input.x);
  finalNorm(model, input.x, input.y, input.rinv);
  return input;
}

/** From dy [picked, d]: the final norm's gradient into `grads` where it trains, and dx [rows, d] += the sum over each row's picks. */
export function pickBackward(
  model: Model,
  input: HeadInput,
  picked: PickedRows,
  dy: Tensor,
  grads: Gradients,
  dx: Tensor,
): void {
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const dPicked = scratch.f32(dy.shape, "d picked");
  const weight = vectorOf(model.params.finalNorm);
  const dWeight = grads.finalNorm && vectorOf(grads.finalNorm);
  rmsNormBackward(gpu, input.x, weight, input.rinv, dy, dPicked, false, dWeight);
  segmentSum(gpu, dPicked, picked.segments, dx);
}
