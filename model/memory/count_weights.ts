import type { ModelConfig } from "../transformer/config.ts";
import { FUSED, fusedShape } from "../transformer/lora_params.ts";
import { qkvWidth } from "../transformer/params.ts";

/** Number of weights that a config asks for. */
export function countWeights(config: ModelConfig): number {
  const { layers, hiddenSize: d, heads, headDim, intermediateSize: f, vocabSize } = config;
  const qkv = qkvWidth(config);
  const biases = (config.qkvBias ? qkv : 0) + (config.qkNorm ? 2 * headDim : 0);
  const layer = d * qkv + d * heads * headDim + 3 * d * f + 2 * d + biases;
  return layers * layer + d + vocabSize * d * (config.tied ? 1 : 2);
}

/** Bytes of weights, gradients and both moments, all f32: held as long as a full training runs. */
export const trainingStateBytes = (config: ModelConfig): number => 16 * countWeights(config);

/** Numbers of an adapter of all linear layers: what trains, and what the blocks multiply by. */
export function loraCounts(config: ModelConfig, rank: number): { trained: number; blocks: number } {
  const layer = { trained: 0, blocks: 0 };
  for (const fused of FUSED) {
    const { inputs, parts } = fusedShape(config, fused);
    const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
    layer.trained += rank * (parts.length * inputs + outputs);
    layer.blocks += rank * parts.length * outputs;
  }
  const { layers } = config;
  return { trained: layers * layer.trained, blocks: layers * layer.blocks };
}
