import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { attentionBackward, type AttentionLayout } from "../../gpu/ops/attention/tiles.ts";
import { columnSum } from "../../gpu/ops/reduce/column_sum.ts";
import { headNormBackward } from "../../gpu/ops/norm/head_norm.ts";
import { matmulNN, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { rmsNormBackward } from "../../gpu/ops/norm/rms_norm.ts";
import { rotaryBackward } from "../../gpu/ops/rotary/rotary.ts";
import { swigluBackward } from "../../gpu/ops/elementwise/swiglu.ts";
import { asMatrix, type Tensor } from "../../gpu/tensor.ts";
import {
  type BlockGradients,
  type BlockSaved,
  type BlockWeights,
  headNormWeights,
  type RowsContext,
} from "./block.ts";
import type { ModelConfig } from "./config.ts";
import type { Fused } from "./lora_params.ts";
import { loraBackward } from "./lora_product.ts";
import { type LayerParams, qkvWidth, vectorOf } from "./params.ts";

/** dx [rows, d] holds dL/d(output) and becomes dL/d(input); `grads` grows by the weights' gradients. */
export function blockBackward(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  grads: BlockGradients,
  saved: BlockSaved,
  at: RowsContext,
  dx: Tensor,
): void {
  mlpBackward(gpu, config, layer, grads, saved, dx);
  attentionPartBackward(
    gpu,
    config,
    layer,
    grads,
    saved,
    { rowMeta: at.rowMeta, tiles: at.tiles!, doubles: at.doubles },
    at.ropeTable,
    dx,
  );
}

function mlpBackward(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  grads: BlockGradients,
  saved: BlockSaved,
  dx: Tensor,
): void {
  const { rows, cols: d } = asMatrix(dx);
  const f = config.intermediateSize;
  using scratch = gpu.arena.scratch();
  const dHidden = scratch.f32([rows, f], "d hidden");
  productBackward(gpu, "down", layer, grads, saved, saved.hidden, dx, dHidden);
  const dGateUp = scratch.f32([rows, 2 * f], "d gate and up");
  swigluBackward(gpu, saved.gateUp, dHidden, dGateUp);
  const dNormed = scratch.f32([rows, d], "d normed");
  productBackward(gpu, "gateUp", layer, grads, saved, saved.mlpNormed, dGateUp, dNormed);
  normBackward(gpu, saved.middle, layer.mlpNorm, grads.mlpNorm, saved.mlpRinv, dNormed, dx);
}

function attentionPartBackward(
  gpu: Gpu,
  config: ModelConfig,
  layer: BlockWeights,
  grads: BlockGradients,
  saved: BlockSaved,
  layout: AttentionLayout,
  table: Tensor,
  dx: Tensor,
): void {
  const { rows, cols: d } = asMatrix(dx);
  using scratch = gpu.arena.scratch();
  const width = config.heads * config.headDim;
  const dAttention = scratch.f32([rows, width], "d attention");
  productBackward(gpu, "attentionOut", layer, grads, saved, saved.attention, dx, dAttention);
  const dq = scratch.f32([rows, width], "dq");
  const dkv = { k: scratch.f32(saved.kv.k.shape, "dk"), v: scratch.f32(saved.kv.v.shape, "dv") };
  const attention = { q: saved.q, kv: saved.kv, out: saved.attention, lse: saved.lse };
  attentionBackward(gpu, config, attention, layout, dAttention, dq, dkv);
  let dQkv = scratch.f32([rows, qkvWidth(config)], "d qkv");
  rotaryBackward(gpu, config, dq, dkv.k, dkv.v, layout.rowMeta, table, dQkv);
  if (saved.qkv) {
    const raw = scratch.f32([rows, qkvWidth(config)], "d qkv raw");
    headNormBackward(
      gpu,
      config,
      saved.qkv,
      headNormWeights(layer),
      config.normEps,
      dQkv,
      raw,
      grads.qNorm ? headNormWeights(grads) : frozenHeadNorms(scratch, config),
    );
    dQkv = raw;
  }
  if (grads.qkvBias) columnSum(gpu, dQkv, vectorOf(grads.qkvBias), true);
  const dNormed = scratch.f32([rows, d], "d normed");
  productBackward(gpu, "qkv", layer, grads, saved, saved.attentionNormed, dQkv, dNormed);
  normBackward(gpu, saved.input, layer.attentionNorm, grads.attentionNorm, saved.attentionRinv, dNormed, dx);
}

/** Gradients that nobody reads. */
const frozenHeadNorms = (scratch: Scratch, { headDim }: ModelConfig) => ({
  q: scratch.f32([headDim], "frozen q norm"),
  k: scratch.f32([headDim], "frozen k norm"),
});

/** From dout of a projection of x: dx [rows, inputs] is written, the gradients of what trains grow. */
function productBackward(
  gpu: Gpu,
  fused: Fused,
  layer: BlockWeights,
  grads: BlockGradients,
  saved: BlockSaved,
  x: Tensor,
  dout: Tensor,
  dx: Tensor,
): void {
  const weight = grads[fused];
  // First what waits for dout: the weight's gradient then goes beside it, without a barrier of its own.
  matmulNN(gpu, dout, layer[fused], dx);
  if (weight) matmulTN(gpu, dout, x, weight, { accumulate: true });
  if (!layer.adapter) return;
  loraBackward(gpu, layer.adapter[fused], grads.adapter?.[fused], x, saved.lora![fused], dout, dx);
}

function normBackward(
  gpu: Gpu,
  x: Tensor,
  weight: LayerParams["mlpNorm"],
  grad: LayerParams["mlpNorm"] | undefined,
  rinv: Tensor,
  dy: Tensor,
  dx: Tensor,
): void {
  rmsNormBackward(gpu, x, vectorOf(weight), rinv, dy, dx, true, grad && vectorOf(grad));
}
