import type { ModelConfig } from "../../model/transformer/config.ts";
import { attention, attentionBackward, type PackedLayout } from "./attention.ts";
import { linear, linearBackward, matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { rmsNorm, rmsNormBackward } from "./rms_norm.ts";
import { rope, ropeBackward, ropeFrequencies } from "./rope.ts";
import { addInto } from "./support.ts";
import { swiglu, swigluBackward } from "./swiglu.ts";

/** Parameters or their gradients by Hugging Face name, row-major ([out, in] for projections). */
export type Weights = Map<string, Float64Array>;

/** Name of the token embedding. */
export const EMBEDDING = "model.embed_tokens.weight";

/** Shapes of all parameters of a configuration by Hugging Face name; the head is absent if tied. */
export function weightShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: d, intermediateSize: f, headDim, heads, kvHeads, vocabSize } = config;
  const shapes = new Map<string, number[]>([[EMBEDDING, [vocabSize, d]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}.`;
    shapes.set(at + "input_layernorm.weight", [d]);
    for (const [name, count] of [["q", heads], ["k", kvHeads], ["v", kvHeads]] as const) {
      shapes.set(`${at}self_attn.${name}_proj.weight`, [count * headDim, d]);
      if (config.qkvBias) shapes.set(`${at}self_attn.${name}_proj.bias`, [count * headDim]);
      if (config.qkNorm && name !== "v") shapes.set(`${at}self_attn.${name}_norm.weight`, [headDim]);
    }
    shapes.set(at + "self_attn.o_proj.weight", [d, heads * headDim]);
    shapes.set(at + "post_attention_layernorm.weight", [d]);
    shapes.set(at + "mlp.gate_proj.weight", [f, d]);
    shapes.set(at + "mlp.up_proj.weight", [f, d]);
    shapes.set(at + "mlp.down_proj.weight", [d, f]);
  }
  shapes.set("model.norm.weight", [d]);
  if (!config.tied) shapes.set("lm_head.weight", [vocabSize, d]);
  return shapes;
}

/** Zeros for every parameter. */
export function zeroGradients(config: ModelConfig): Weights {
  const sizes = [...weightShapes(config)].map(([name, shape]) =>
    [name, shape.reduce((a, b) => a * b)] as const
  );
  return new Map(sizes.map(([name, size]) => [name, new Float64Array(size)]));
}

/** Tensors of any precision as float64 weights. */
export function asFloat64(tensors: Map<string, { data: ArrayLike<number> }>): Weights {
  return new Map([...tensors].map(([name, { data }]) => [name, Float64Array.from(data)]));
}

/** The matrix of the LM head, [vocabSize, d]: the embedding if tied. */
export function headMatrix(config: ModelConfig, weights: Weights): Float64Array {
  return weights.get(config.tied ? EMBEDDING : "lm_head.weight")!;
}

/** What the backward pass needs of a forward pass. */
export interface TransformerTrace {
  layout: PackedLayout;
  blocks: BlockTrace[];
  /** Residual stream after the last block, [rows, d]. */
  residual: Float64Array;
  /** y [rows, d], the final-normed rows that the head reads. */
  hidden: Float64Array;
}

/** Runs input rows x [rows, d] (any mixture of token embeddings and soft thoughts) through the stack. */
export function transformerForward(
  config: ModelConfig,
  weights: Weights,
  x: Float64Array,
  layout: PackedLayout,
): TransformerTrace {
  const blocks: BlockTrace[] = [];
  let residual = x;
  for (let layer = 0; layer < config.layers; layer++) {
    const block = blockForward(config, blockWeights(weights, layer), residual, layout);
    blocks.push(block);
    residual = block.output;
  }
  const rows = layout.position.length;
  const norm = weights.get("model.norm.weight")!;
  const hidden = rmsNorm(residual, norm, rows, config.hiddenSize, config.normEps).y;
  return { layout, blocks, residual, hidden };
}

/**
 * Adds the parameters' gradients for dHidden [rows, d] into `gradients` and returns dx [rows, d]. The head and the
 * embedding's look-up are the caller's.
 */
export function transformerBackward(
  config: ModelConfig,
  weights: Weights,
  trace: TransformerTrace,
  dHidden: Float64Array,
  gradients: Weights,
): Float64Array {
  const rows = trace.layout.position.length;
  const norm = weights.get("model.norm.weight")!;
  const last = rmsNormBackward(dHidden, trace.residual, norm, rows, config.hiddenSize, config.normEps);
  addInto(gradients.get("model.norm.weight")!, last.dWeight);
  let dx = last.dx;
  for (let layer = config.layers - 1; layer >= 0; layer--) {
    const at = (name: string) => gradients.get(`model.layers.${layer}.${name}`)!;
    dx = blockBackward(config, blockWeights(weights, layer), trace.blocks[layer], trace.layout, dx, at);
  }
  return dx;
}

/** Logits [rows, vocabSize] of final-normed rows [rows, d]. */
export function headForward(config: ModelConfig, weights: Weights, hidden: Float64Array): Float64Array {
  const d = config.hiddenSize;
  return matmulNT(hidden, headMatrix(config, weights), hidden.length / d, d, config.vocabSize);
}

/** Adds the head's gradient for dLogits [rows, vocabSize] into `gradients` and returns dHidden [rows, d]. */
export function headBackward(
  config: ModelConfig,
  weights: Weights,
  hidden: Float64Array,
  dLogits: Float64Array,
  gradients: Weights,
): Float64Array {
  const { hiddenSize: d, vocabSize } = config;
  const rows = hidden.length / d;
  addInto(headMatrix(config, gradients), matmulTN(dLogits, hidden, vocabSize, rows, d));
  return matmulNN(dLogits, headMatrix(config, weights), rows, vocabSize, d);
}

type Named = (name: string) => Float64Array;

function blockWeights(weights: Weights, layer: number): Named {
  return (name) => weights.get(`model.layers.${layer}.${name}`)!;
}

interface BlockTrace {
  input: Float64Array;
  normed: Float64Array;
  /** Before the head norm and the rotation. */
  projected: { q: Float64Array; k: Float64Array };
  rotated: { q: Float64Array; k: Float64Array };
  v: Float64Array;
  attended: Float64Array;
  middle: Float64Array;
  middleNormed: Float64Array;
  gateUp: Float64Array;
  activated: Float64Array;
  output: Float64Array;
}

function blockForward(config: ModelConfig, w: Named, input: Float64Array, layout: PackedLayout): BlockTrace {
  const { hiddenSize: d, intermediateSize: f, headDim, heads, kvHeads, normEps } = config;
  const rows = layout.position.length;
  const frequencies = ropeFrequencies(config);
  const normed = rmsNorm(input, w("input_layernorm.weight"), rows, d, normEps).y;
  const project = (name: string, count: number) => {
    const bias = config.qkvBias ? w(`self_attn.${name}_proj.bias`) : undefined;
    return linear(normed, w(`self_attn.${name}_proj.weight`), bias, rows, d, count * headDim);
  };
  const turn = (name: string, x: Float64Array, count: number) => {
    const y = config.qkNorm
      ? rmsNorm(x, w(`self_attn.${name}_norm.weight`), rows * count, headDim, normEps).y
      : x;
    return rope(y, layout.position, frequencies, count, headDim);
  };
  const projected = { q: project("q", heads), k: project("k", kvHeads) };
  const v = project("v", kvHeads);
  const rotated = { q: turn("q", projected.q, heads), k: turn("k", projected.k, kvHeads) };
  const attended = attention(rotated.q, rotated.k, v, layout, config).out;
  const mixed = matmulNT(attended, w("self_attn.o_proj.weight"), rows, heads * headDim, d);
  const middle = addInto(mixed, input);
  const middleNormed = rmsNorm(middle, w("post_attention_layernorm.weight"), rows, d, normEps).y;
  const gateUp = sideBySide(
    matmulNT(middleNormed, w("mlp.gate_proj.weight"), rows, d, f),
    matmulNT(middleNormed, w("mlp.up_proj.weight"), rows, d, f),
    f,
  );
  const activated = swiglu(gateUp, rows, f);
  const output = addInto(matmulNT(activated, w("mlp.down_proj.weight"), rows, f, d), middle);
  return { input, normed, projected, rotated, v, attended, middle, middleNormed, gateUp, activated, output };
}

function blockBackward(
  config: ModelConfig,
  w: Named,
  t: BlockTrace,
  layout: PackedLayout,
  dOutput: Float64Array,
  gradient: Named,
): Float64Array {
  const { hiddenSize: d, intermediateSize: f, headDim, heads, kvHeads, normEps } = config;
  const rows = layout.position.length;
  const frequencies = ropeFrequencies(config);
  const through = (name: string, dy: Float64Array, x: Float64Array, k: number, n: number, bias = false) => {
    const { dx, dWeight, dBias } = linearBackward(dy, x, w(`${name}.weight`), rows, k, n);
    addInto(gradient(`${name}.weight`), dWeight);
    if (bias) addInto(gradient(`${name}.bias`), dBias);
    return dx;
  };
  const throughNorm = (name: string, dy: Float64Array, x: Float64Array, count: number, width: number) => {
    const { dx, dWeight } = rmsNormBackward(dy, x, w(name), count, width, normEps);
    addInto(gradient(name), dWeight);
    return dx;
  };
  const throughTurn = (name: string, dy: Float64Array, x: Float64Array, count: number) => {
    const back = ropeBackward(dy, layout.position, frequencies, count, headDim);
    return config.qkNorm
      ? throughNorm(`self_attn.${name}_norm.weight`, back, x, rows * count, headDim)
      : back;
  };

  const dActivated = through("mlp.down_proj", dOutput, t.activated, f, d);
  const [dGate, dUp] = apart(swigluBackward(dActivated, t.gateUp, rows, f), f);
  const dMiddleNormed = addInto(
    through("mlp.gate_proj", dGate, t.middleNormed, d, f),
    through("mlp.up_proj", dUp, t.middleNormed, d, f),
  );
  const norm = "post_attention_layernorm.weight";
  const dMiddle = addInto(throughNorm(norm, dMiddleNormed, t.middle, rows, d), dOutput);

  const dAttended = through("self_attn.o_proj", dMiddle, t.attended, heads * headDim, d);
  const { dq, dk, dv } = attentionBackward(dAttended, t.rotated.q, t.rotated.k, t.v, layout, config);
  const { qkvBias } = config;
  const dProjectedQ = throughTurn("q", dq, t.projected.q, heads);
  const dProjectedK = throughTurn("k", dk, t.projected.k, kvHeads);
  const dNormed = through("self_attn.q_proj", dProjectedQ, t.normed, d, heads * headDim, qkvBias);
  addInto(dNormed, through("self_attn.k_proj", dProjectedK, t.normed, d, kvHeads * headDim, qkvBias));
  addInto(dNormed, through("self_attn.v_proj", dv, t.normed, d, kvHeads * headDim, qkvBias));
  return addInto(throughNorm("input_layernorm.weight", dNormed, t.input, rows, d), dMiddle);
}

/** [rows, 2f] from two [rows, f]. */
function sideBySide(left: Float64Array, right: Float64Array, f: number): Float64Array {
  const out = new Float64Array(left.length * 2);
  for (let i = 0; i < left.length; i++) {
    const at = Math.floor(i / f) * 2 * f + i % f;
    out[at] = left[i];
    out[at + f] = right[i];
  }
  return out;
}

/** Two [rows, f] from [rows, 2f]. */
function apart(both: Float64Array, f: number): [Float64Array, Float64Array] {
  const left = new Float64Array(both.length / 2);
  const right = new Float64Array(both.length / 2);
  for (let i = 0; i < left.length; i++) {
    const at = Math.floor(i / f) * 2 * f + i % f;
    left[i] = both[at];
    right[i] = both[at + f];
  }
  return [left, right];
}
