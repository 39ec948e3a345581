/**
 * Low-rank adaptation (LoRA, arXiv 2106.09685): to the product of each frozen projection W x an update s B A x is added,
 * s = alpha / rank, and only A and B train. B starts at 0, so that training starts from the base model.
 *
 * Q, K and V are one matrix here, and so are gate and up, but each has an A and a B of its own, as in PEFT. The A of a
 * fused projection's parts lie under one another, and so do their B; products use B in blocks ({@link loraSpread}).
 */
import type { Gpu } from "../../gpu/device.ts";
import { createMatrix, freeMatrix, type Matrix, uploadRows } from "../../gpu/matrix.ts";
import { loraSpread, type PartStarts } from "../../gpu/ops/lora_blocks.ts";
import { Domain, randomStream } from "../../gpu/random.ts";
import type { ModelConfig } from "../config.ts";
import type { NamedTensor } from "../params.ts";
import type { Model } from "../transformer.ts";

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

/** What decides an adapter's form. */
export interface LoraSettings {
  /** r, the rank of each update. */
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /** Scale by alpha / sqrt(rank) instead (rank-stabilised LoRA); no if left out. */
  rankStabilised?: boolean;
  /** Names of the adapted projections (`q_proj`, ...); all if left out. The others' A and B are 0 and stay so. */
  targets?: readonly string[];
}

/** The adapted product as the blocks use it. */
export interface AdaptedProjection {
  /** [parts rank, inputs]. */
  a: Matrix;
  /** [outputs, parts rank]: scale B in blocks, made again whenever B changes. */
  blocks: Matrix;
  /** Rows at which the parts begin. */
  starts: PartStarts;
  /** s. */
  scale: number;
}

/** A model that an adapter belongs to. */
export interface BaseModel {
  /** As `--model` takes it: a name, or an absolute path. */
  name: string;
  /** SHA-256 of its weight files' bytes, in hexadecimal. */
  hash: string;
}

/** A low-rank update of a whole model, on the device. */
export interface Adapter {
  /** Its form. */
  settings: LoraSettings;
  /** What trains. */
  params: LoraParams;
  /** The same as the blocks use it. */
  layers: Record<Fused, AdaptedProjection>[];
  /** What it was trained on, where that is known. */
  base?: BaseModel;
}

/** One projection of a block: its name in Hugging Face folders and its outputs. */
export interface Projection {
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

const outputsOf = (parts: readonly Projection[]) => parts.reduce((sum, { outputs }) => sum + outputs, 0);
const startsOf = (parts: readonly Projection[]) => parts.map((_, i) => outputsOf(parts.slice(0, i)));

/** s, by which B A is multiplied. */
export const scaleOf = ({ rank, alpha, rankStabilised }: LoraSettings): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

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

/** A zeroed adapter: it adds nothing, and nothing of it trains until A is filled. */
export function createAdapter(gpu: Gpu, config: ModelConfig, settings: LoraSettings): Adapter {
  const params = createLoraParams(gpu, config, settings.rank, "adapter");
  const scale = scaleOf(settings);
  const adapted = (fused: Fused, i: number): AdaptedProjection => {
    const { parts } = fusedShape(config, fused);
    const [rows, cols] = [outputsOf(parts), parts.length * settings.rank];
    const blocks = createMatrix(gpu, rows, cols, "f32", `adapter ${i} ${fused} blocks`);
    return { a: params.lora[i][fused].a, blocks, starts: startsOf(parts), scale };
  };
  const layers = params.lora.map((_, i) => eachFused((fused) => adapted(fused, i)));
  return { settings, params, layers };
}

// Streams of initial weights: far from those of a new model's matrices.
const FIRST_STREAM = 2 ** 20;

/**
 * Fills a new adapter as PEFT does: A uniform within 1 / sqrt(inputs) (Kaiming's bound for a = sqrt(5)), drawn by
 * Philox from the domain of initial weights; B stays 0.
 */
export function initialiseAdapter(gpu: Gpu, config: ModelConfig, adapter: Adapter, seed: number): void {
  const { rank } = adapter.settings;
  let stream = FIRST_STREAM;
  for (const layer of adapter.params.lora) {
    for (const fused of FUSED) {
      const { inputs, parts } = fusedShape(config, fused);
      parts.forEach(({ name }, i) => {
        const uniform = randomStream(seed, Domain.weights, stream++);
        if (!isTarget(adapter.settings, name)) return;
        const bound = 1 / Math.sqrt(inputs);
        const values = Float32Array.from({ length: rank * inputs }, () => bound * (2 * uniform() - 1));
        uploadRows(gpu, layer[fused].a, i * rank, values);
      });
    }
  }
}

/** Gives a model a new adapter, from which training starts at the model as it is. */
export function addAdapter(model: Model, settings: LoraSettings, seed: number): Adapter {
  const { gpu, config } = model;
  model.adapter = createAdapter(gpu, config, settings);
  initialiseAdapter(gpu, config, model.adapter, seed);
  return model.adapter;
}

/** Whether an adapter adapts the projection of that name; names as Hugging Face folders write them. */
export const isTarget = ({ targets }: LoraSettings, name: string): boolean =>
  targets === undefined || targets.includes(name.replace(/^.*\./, ""));

/** Brings what the blocks use up to date with A and B: after loading, and after each update. */
export function refreshAdapter(gpu: Gpu, { params, layers }: Adapter): void {
  layers.forEach((layer, i) => {
    for (const fused of FUSED) {
      const { starts, scale, blocks } = layer[fused];
      loraSpread(gpu, params.lora[i][fused].b, starts, scale, blocks);
    }
  });
}

/** Frees an adapter's memory. */
export function freeAdapter(gpu: Gpu, { params, layers }: Adapter): void {
  for (const matrix of loraMatrices(params)) freeMatrix(gpu, matrix);
  for (const layer of layers) for (const fused of FUSED) freeMatrix(gpu, layer[fused].blocks);
}
