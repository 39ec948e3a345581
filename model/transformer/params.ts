import type { Gpu } from "../../gpu/gpu.ts";
import { createMatrix, freeMatrix, type Matrix, type WeightType } from "../../gpu/matrix.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { loraMatrices, type LoraParams, loraTensors } from "./lora_params.ts";
import type { NamedTensor } from "./named_tensor.ts";

/** Weights of one block. Q, K, V are one matrix, gate and up another: one product each. */
export interface LayerParams {
  /** [1, d]: the norm before the attention. */
  attentionNorm: Matrix;
  /** [(heads + 2 kvHeads) hd, d]: Q, then K, then V. */
  qkv: Matrix;
  /** [(heads + 2 kvHeads) hd, 1], where there is one. */
  qkvBias?: Matrix;
  /** [1, hd], shared by all heads of Q, where there is one. */
  qNorm?: Matrix;
  /** [1, hd], shared by all heads of K, where there is one. */
  kNorm?: Matrix;
  /** [d, heads hd]: back into the residual stream. */
  attentionOut: Matrix;
  /** [1, d]: the norm before the SwiGLU layer. */
  mlpNorm: Matrix;
  /** [2 f, d]: gate, then up. */
  gateUp: Matrix;
  /** [d, f]: back into the residual stream. */
  down: Matrix;
}

/** All weights of a model; gradients and optimizer moments have the same form. */
export interface Params {
  /** E [V, d], the token embedding. */
  embedding: Matrix;
  /** The LM head [V, d]: the embedding itself where they are tied. */
  head: Matrix;
  /** [1, d]: the norm before the LM head. */
  finalNorm: Matrix;
  /** Block by block. */
  layers: LayerParams[];
}

/** Where a backward pass adds gradients: those of all weights, or of an adapter alone. What is absent is frozen. */
export type Gradients = Partial<Params> & Partial<LoraParams>;

/** What an update may change: all weights, or an adapter's. Gradients and moments have the same form. */
export type Trainable = Params | LoraParams;

/** Columns of the fused Q, K and V. */
export const qkvWidth = (config: ModelConfig): number => (config.heads + 2 * config.kvHeads) * config.headDim;

/** The matrices that make a model's size. Norms and biases are f32, these need not be. */
export type LargeMatrix = "embedding" | "head" | "qkv" | "attentionOut" | "gateUp" | "down";

/** The type of each large matrix: one for all, or each layer's its own; embedding and head count to layer 0. */
export type WeightTypes = WeightType | ((matrix: LargeMatrix, layer: number) => WeightType);

/** The type of one large matrix. */
export const typeOf = (types: WeightTypes, matrix: LargeMatrix, layer: number): WeightType =>
  typeof types === "string" ? types : types(matrix, layer);

/** Zeroed weights. `types` are those of the large matrices; norms and biases are always f32. */
export function createParams(gpu: Gpu, config: ModelConfig, types: WeightTypes, label: string): Params {
  const { hiddenSize: d, intermediateSize: f, heads, headDim: hd, vocabSize } = config;
  const large = (of: LargeMatrix, i: number, rows: number, cols: number, name: string) =>
    createMatrix(gpu, rows, cols, typeOf(types, of, i), `${label} ${name}`);
  const small = (rows: number, cols: number, name: string) =>
    createMatrix(gpu, rows, cols, "f32", `${label} ${name}`);
  const layer = (i: number): LayerParams => ({
    attentionNorm: small(1, d, `${i} attention norm`),
    qkv: large("qkv", i, qkvWidth(config), d, `${i} qkv`),
    ...(config.qkvBias ? { qkvBias: small(qkvWidth(config), 1, `${i} qkv bias`) } : {}),
    ...(config.qkNorm ? { qNorm: small(1, hd, `${i} q norm`), kNorm: small(1, hd, `${i} k norm`) } : {}),
    attentionOut: large("attentionOut", i, d, heads * hd, `${i} attention out`),
    mlpNorm: small(1, d, `${i} mlp norm`),
    gateUp: large("gateUp", i, 2 * f, d, `${i} gate and up`),
    down: large("down", i, d, f, `${i} down`),
  });
  const embedding = large("embedding", 0, vocabSize, d, "embedding");
  return {
    embedding,
    head: config.tied ? embedding : large("head", 0, vocabSize, d, "head"),
    finalNorm: small(1, d, "final norm"),
    layers: Array.from({ length: config.layers }, (_, i) => layer(i)),
  };
}

/** Every matrix once, in a fixed order: that of norms, optimizer and checkpoints. */
export function matricesOf(params: Trainable): Matrix[] {
  if ("lora" in params) return loraMatrices(params);
  const { embedding, head, finalNorm, layers } = params;
  return [
    embedding,
    ...(head === embedding ? [] : [head]),
    finalNorm,
    ...layers.flatMap((layer) => Object.values(layer).filter((matrix) => matrix !== undefined) as Matrix[]),
  ];
}

/** Fills with zeros: at the start of a gradient. */
export function zeroParams(gpu: Gpu, params: Trainable): void {
  for (const matrix of matricesOf(params)) for (const chunk of matrix.chunks) gpu.commands.zero(chunk);
}

/** Copies all numbers of one set of weights, of whatever form, to another of that form: both are f32. */
export function copyParams({ commands }: Gpu, from: Trainable, to: Trainable): void {
  const targets = matricesOf(to);
  matricesOf(from).forEach(({ chunks, rows, cols, chunkRows }, i) =>
    chunks.forEach((chunk, c) => {
      commands.copy(chunk, 0, targets[i].chunks[c], 0, Math.min(chunkRows, rows - c * chunkRows) * cols);
    })
  );
}

/** Frees all matrices. */
export function freeParams(gpu: Gpu, params: Trainable): void {
  for (const matrix of matricesOf(params)) freeMatrix(gpu, matrix);
}

/** Number of weights. */
export const countParams = (params: Trainable): number =>
  matricesOf(params).reduce((sum, matrix) => sum + matrix.rows * matrix.cols, 0);

/** A norm's weight or a bias as a vector. */
export function vectorOf(matrix: Matrix): Tensor {
  const chunk = matrix.chunks[0];
  return { ...chunk, shape: [sizeOf(chunk.shape)] };
}

/** A tensor of a block: the matrix that it is rows of, and where they begin. */
interface BlockTensor {
  name: string;
  shape: number[];
  of: keyof LayerParams;
  row: number;
}

function blockTensors(config: ModelConfig): BlockTensor[] {
  const { hiddenSize: d, intermediateSize: f, heads, kvHeads, headDim: hd } = config;
  const [q, kv] = [heads * hd, kvHeads * hd];
  const tensors: BlockTensor[] = [];
  const add = (name: string, of: keyof LayerParams, shape: number[], row = 0) =>
    tensors.push({ name, shape, of, row });
  add("input_layernorm.weight", "attentionNorm", [d]);
  add("self_attn.q_proj.weight", "qkv", [q, d]);
  add("self_attn.k_proj.weight", "qkv", [kv, d], q);
  add("self_attn.v_proj.weight", "qkv", [kv, d], q + kv);
  if (config.qkvBias) {
    add("self_attn.q_proj.bias", "qkvBias", [q]);
    add("self_attn.k_proj.bias", "qkvBias", [kv], q);
    add("self_attn.v_proj.bias", "qkvBias", [kv], q + kv);
  }
  if (config.qkNorm) {
    add("self_attn.q_norm.weight", "qNorm", [hd]);
    add("self_attn.k_norm.weight", "kNorm", [hd]);
  }
  add("self_attn.o_proj.weight", "attentionOut", [d, q]);
  add("post_attention_layernorm.weight", "mlpNorm", [d]);
  add("mlp.gate_proj.weight", "gateUp", [f, d]);
  add("mlp.up_proj.weight", "gateUp", [f, d], f);
  add("mlp.down_proj.weight", "down", [d, f]);
  return tensors;
}

/** A tensor of a model's files: the matrix that it is rows of, and where they begin. */
export interface TensorPlace extends Omit<BlockTensor, "of"> {
  of: keyof LayerParams | Exclude<keyof Params, "layers">;
  /** Of the matrix; 0 for those outside the blocks. */
  layer: number;
}

/** Names, shapes and places of a model's tensors, one at a time, in the order of {@link namedTensors}. */
export function* tensorShapes(config: ModelConfig): Generator<TensorPlace> {
  const { hiddenSize: d, vocabSize, layers, tied } = config;
  const outer = { layer: 0, row: 0 };
  yield { name: "model.embed_tokens.weight", shape: [vocabSize, d], of: "embedding", ...outer };
  const block = blockTensors(config);
  for (let i = 0; i < layers; i++) {
    for (const tensor of block) yield { ...tensor, name: `model.layers.${i}.${tensor.name}`, layer: i };
  }
  yield { name: "model.norm.weight", shape: [d], of: "finalNorm", ...outer };
  if (!tied) yield { name: "lm_head.weight", shape: [vocabSize, d], of: "head", ...outer };
}

/** The tensors by their Hugging Face names (an adapter's by those of PEFT), in the order of the layers. */
export function namedTensors(config: ModelConfig, params: Trainable): NamedTensor[] {
  if ("lora" in params) return loraTensors(config, params);
  return Array.from(tensorShapes(config), ({ name, shape, of, layer, row }) => {
    const matrix = of === "embedding" || of === "head" || of === "finalNorm"
      ? params[of]
      : params.layers[layer][of]!;
    return { name, shape, matrix, row };
  });
}
