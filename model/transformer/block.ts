import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Matrix } from "../../gpu/matrix.ts";
import { attentionOfProjections } from "../../gpu/ops/attention/decode.ts";
import { attentionTiles } from "../../gpu/ops/attention/tiles.ts";
import type { KeysValues } from "../../gpu/ops/attention/shape.ts";
import { addInto } from "../../gpu/ops/elementwise/elementwise.ts";
import { headNorm } from "../../gpu/ops/norm/head_norm.ts";
import { matmulAdapted, matmulGated, matmulNormed } from "../../gpu/ops/matmul/fused.ts";
import { rmsNorm } from "../../gpu/ops/norm/rms_norm.ts";
import { rotary } from "../../gpu/ops/rotary/rotary.ts";
import { swiglu } from "../../gpu/ops/elementwise/swiglu.ts";
import { asMatrix, type Tensor } from "../../gpu/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { AdaptedProjection } from "./adapter.ts";
import { eachFused, type Fused, type LoraPair } from "./lora_params.ts";
import { loraRows } from "./lora_product.ts";
import { type LayerParams, qkvWidth, vectorOf } from "./params.ts";

/** A block's weights, with the low-rank updates of its projections where it has them. */
export interface BlockWeights extends LayerParams {
  /** Absent where the model has no adapter. */
  adapter?: Record<Fused, AdaptedProjection>;
}

/** Where a block's gradients go: what is absent is frozen. */
export interface BlockGradients extends Partial<LayerParams> {
  /** Those of its adapter. */
  adapter?: Record<Fused, LoraPair>;
}

/** Where rows stand: for prefill and training with tiles; for decoding without, `shift` positions past their meta. */
export interface RowsContext {
  rowMeta: Tensor; // u32 [rows, 4]
  tiles?: Tensor; // u32 [tiles, 4]
  doubles?: number;
  ropeTable: Tensor; // [positions, hd / 2, 2]
  shift: number;
  /** Of decoding: keys that a row has at most, where that is known. */
  longest?: number;
}

/** What a block's backward pass needs of its forward pass. */
export interface BlockSaved {
  input: Tensor; // [rows, d]
  attentionRinv: Tensor; // [rows]
  qkv?: Tensor; // [rows, qkv], before the heads' norms, only where there are any
  q: Tensor; // [rows, heads hd]
  kv: KeysValues;
  attention: Tensor; // [rows, heads hd]
  lse: Tensor; // [rows, heads]
  attentionNormed: Tensor; // [rows, d], what Q, K and V are made from
  middle: Tensor; // [rows, d]
  mlpRinv: Tensor; // [rows]
  mlpNormed: Tensor; // [rows, d]
  gateUp: Tensor; // [rows, 2 f]
  hidden: Tensor; // [rows, f]
  lora?: Record<Fused, Tensor>; // [rows, parts rank], x A^T of each adapted product
}

/** What generation does not keep is made on the way to a product. */
type Passing = "attentionRinv" | "attentionNormed" | "mlpRinv" | "mlpNormed" | "hidden";
type Buffers = Omit<BlockSaved, Passing> & Partial<Pick<BlockSaved, Passing>>;

/** One block, x [rows, d] in place; keys and values of the rows go to `kv`. Keeps nothing: generation. */
export function blockForward(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  x: Tensor,
  kv: KeysValues,
  rows: RowsContext,
): void {
  using scratch = gpu.arena.scratch();
  const buffers = allocate(scratch, config, layer, x, kv, false);
  forward(gpu, config, layer, x, rows, buffers);
}

/** The same, keeping in `keep` what {@link blockBackward} needs; keys and values are those of the packed rows. */
export function blockForwardSaved(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  x: Tensor,
  rows: RowsContext,
  keep: Scratch,
): BlockSaved {
  const { rows: count } = asMatrix(x);
  const width = config.kvHeads * config.headDim;
  const kv = { k: keep.f32([count, width], "k"), v: keep.f32([count, width], "v") };
  const saved = { ...allocate(keep, config, layer, x, kv, true), ...allocateMade(keep, config, x) };
  forward(gpu, config, layer, x, rows, saved);
  return saved;
}

function allocate(
  scratch: Scratch,
  config: ModelConfig,
  { adapter }: BlockWeights,
  x: Tensor,
  kv: KeysValues,
  keep: boolean,
): Omit<BlockSaved, Passing> {
  const { rows, cols: d } = asMatrix(x);
  const { heads, headDim: hd, intermediateSize: f } = config;
  return {
    input: keep ? scratch.f32([rows, d], "block input") : x,
    ...(config.qkNorm ? { qkv: scratch.f32([rows, qkvWidth(config)], "qkv raw") } : {}),
    q: scratch.f32([rows, heads * hd], "q"),
    kv,
    attention: scratch.f32([rows, heads * hd], "attention"),
    lse: scratch.f32([rows, heads], "lse"),
    middle: keep ? scratch.f32([rows, d], "block middle") : x,
    gateUp: scratch.f32([rows, 2 * f], "gate and up"),
    ...(adapter ? { lora: eachFused((fused) => loraRows(scratch, adapter[fused], rows)) } : {}),
  };
}

function allocateMade(
  scratch: Scratch,
  { intermediateSize: f }: ModelConfig,
  x: Tensor,
): Pick<BlockSaved, Passing> {
  const { rows, cols: d } = asMatrix(x);
  return {
    attentionRinv: scratch.f32([rows], "attention rinv"),
    attentionNormed: scratch.f32([rows, d], "attention normed"),
    mlpRinv: scratch.f32([rows], "mlp rinv"),
    mlpNormed: scratch.f32([rows, d], "mlp normed"),
    hidden: scratch.f32([rows, f], "mlp hidden"),
  };
}

function forward(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  x: Tensor,
  at: RowsContext,
  saved: Buffers,
): void {
  const { rows, cols: d } = asMatrix(x);
  using scratch = gpu.arena.scratch();
  const keep = (to: Tensor) => to === x || gpu.commands.copy(x, 0, to, 0, rows * d);
  const updateOf = (fused: Fused) => layer.adapter && { ...layer.adapter[fused], u: saved.lora![fused] };
  const projectNormed = (
    norm: Matrix,
    normed: Tensor | undefined,
    rinv: Tensor | undefined,
    fused: Fused,
    out: Tensor,
  ) => {
    const weight = vectorOf(norm);
    const lowRank = updateOf(fused);
    if (!normed || !rinv) {
      return matmulNormed(gpu, x, { weight, eps: config.normEps }, layer[fused], out, lowRank);
    }
    rmsNorm(gpu, x, weight, normed, rinv, config.normEps);
    matmulAdapted(gpu, normed, layer[fused], out, { lowRank });
  };

  keep(saved.input);
  const width = qkvWidth(config);
  const projected = saved.qkv ?? scratch.f32([rows, width], "qkv");
  projectNormed(layer.attentionNorm, saved.attentionNormed, saved.attentionRinv, "qkv", projected);
  const bias = layer.qkvBias && vectorOf(layer.qkvBias);
  const { q, kv: { k, v } } = saved;
  if (at.tiles) {
    const qkv = saved.qkv ? scratch.f32([rows, width], "qkv") : projected;
    // The heads' norms need it at once; without them it is added on the way.
    if (saved.qkv && bias) addInto(gpu, saved.qkv, bias);
    if (saved.qkv) headNorm(gpu, config, saved.qkv, headNormWeights(layer), config.normEps, qkv);
    const added = saved.qkv ? undefined : bias;
    rotary(gpu, config, qkv, at.rowMeta, at.ropeTable, q, k, v, at.shift, added);
    const layout = { rowMeta: at.rowMeta, tiles: at.tiles, doubles: at.doubles };
    attentionTiles(gpu, config, saved.q, saved.kv, layout, saved.attention, saved.lse);
  } else {
    const norm = saved.qkv ? { weights: headNormWeights(layer), eps: config.normEps } : undefined;
    const projections = { qkv: projected, bias, headNorm: norm, table: at.ropeTable, q };
    const { rowMeta, shift, longest } = at;
    attentionOfProjections(gpu, config, projections, saved.kv, rowMeta, saved.attention, shift, longest);
  }
  const afterAttention = { accumulate: true, lowRank: updateOf("attentionOut") };
  matmulAdapted(gpu, saved.attention, layer.attentionOut, x, afterAttention);

  keep(saved.middle);
  projectNormed(layer.mlpNorm, saved.mlpNormed, saved.mlpRinv, "gateUp", saved.gateUp);
  const lowRank = updateOf("down");
  if (!saved.hidden) return matmulGated(gpu, saved.gateUp, layer.down, x, lowRank);
  swiglu(gpu, saved.gateUp, saved.hidden);
  matmulAdapted(gpu, saved.hidden, layer.down, x, { accumulate: true, lowRank });
}

/** Weights of the heads' norms, or where their gradients go. */
export const headNormWeights = ({ qNorm, kNorm }: Pick<LayerParams, "qNorm" | "kNorm">) => ({
  q: vectorOf(qNorm!),
  k: vectorOf(kNorm!),
});
