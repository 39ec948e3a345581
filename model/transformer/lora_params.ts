import type { Gpu } from "../../gpu/gpu.ts";
import { createMatrix, type Matrix } from "../../gpu/matrix.ts";
import type { ModelConfig } from "./config.ts";
import type { NamedTensor } from "./named_tensor.ts";

/** A block's projections as they are stored: Q, K and V in one matrix, gate and up in another. */
export type Fused = "qkv" | "attentionOut" | "gateUp" | "down";

/** All of them. */
export const FUSED: readonly Fused[] = ["qkv", "attentionOut", "gateUp", "down"];

/** A and B of one fused projection; gradients and moments have the same form. */
export interface LoraPair {
  /** [parts rank, inputs]: A of each part. */
  a: Matrix;
  /** [outputs, rank]: B of each part. */
  b: Matrix;
}

/** All that trains of an adapted model, block by block; gradients and optimizer moments have the same form. */
export interface LoraParams {
  /** One entry a block. */
  lora: Record<Fused, LoraPair>[];
}

/** One projection of a block: its name in Hugging Face folders and its outputs. */
interface Projection {
  /** E.g. `self_attn.q_proj`. */
  name: string;
  /** Rows of its weight. */
  outputs: number;
}

/** What a fused matrix is made of, for a model of this shape. */
export function fusedShape(config: ModelConfig, fused: Fused): { inputs: number; parts: Projection[] } {
  const { hiddenSize: d, intermediateSize: f, heads, kvHeads, headDim: hd } = config;
  const [q, kv] = [heads * hd, kvHeads * hd];
  const part = (name: string, outputs: number): Projection => ({ name, outputs });
  switch (fused) {
    case "qkv":
      return {
        inputs: d,
        parts: [part("self_attn.q_proj", q), part("self_attn.k_proj", kv), part("self_attn.v_proj", kv)],
      };
    case "attentionOut":
      return { inputs: q, parts: [part("self_attn.o_proj", d)] };
    case "gateUp":
      return { inputs: d, parts: [part("mlp.gate_proj", f), part("mlp.up_proj", f)] };
    case "down":
      return { inputs: f, parts: [part("mlp.down_proj", d)] };
  }
}

/** Rows of a fused matrix. */
export const outputsOf = (parts: readonly Projection[]) =>
  parts.reduce((sum, { outputs }) => sum + outputs, 0);
/** Rows at which the parts of a fused matrix begin. */
export const startsOf = (parts: readonly Projection[]) => parts.map((_, i) => outputsOf(parts.slice(0, i)));

/** Makes an object with an entry for each fused projection. */
export const eachFused = <T>(make: (fused: Fused) => T): Record<Fused, T> =>
  Object.fromEntries(FUSED.map((fused) => [fused, make(fused)])) as Record<Fused, T>;

/** Zeroed A and B, in f32. */
export function createLoraParams(gpu: Gpu, config: ModelConfig, rank: number, label: string): LoraParams {
  const pair = (i: number, fused: Fused): LoraPair => {
    const { inputs, parts } = fusedShape(config, fused);
    return {
      a: createMatrix(gpu, parts.length * rank, inputs, "f32", `${label} ${i} ${fused} A`),
      b: createMatrix(gpu, outputsOf(parts), rank, "f32", `${label} ${i} ${fused} B`),
    };
  };
  return { lora: Array.from({ length: config.layers }, (_, i) => eachFused((fused) => pair(i, fused))) };
}

/** Every A and B once, in a fixed order: that of norms, optimizer and checkpoints. */
export const loraMatrices = ({ lora }: LoraParams): Matrix[] =>
  lora.flatMap((layer) => FUSED.flatMap((fused) => [layer[fused].a, layer[fused].b]));

/** The tensors by the names that PEFT gives them, in the order of the layers. */
export function loraTensors(config: ModelConfig, { lora }: LoraParams): NamedTensor[] {
  return lora.flatMap((layer, i) =>
    FUSED.flatMap((fused) => {
      const { inputs, parts } = fusedShape(config, fused);
      const { a, b } = layer[fused];
      const rank = b.cols;
      const named = (part: number, which: string) =>
        `base_model.model.model.layers.${i}.${parts[part].name}.lora_${which}.weight`;
      // All A of a matrix, then all B: who reads them back reads each matrix once.
      return [
        ...parts.map((_, part) => (
          { name: named(part, "A"), shape: [rank, inputs], matrix: a, row: part * rank }
        )),
        ...parts.map(({ outputs }, part) => (
          { name: named(part, "B"), shape: [outputs, rank], matrix: b, row: startsOf(parts)[part] }
        )),
      ];
    })
  );
}
