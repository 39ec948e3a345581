/**
 * Low-rank adaptation (LoRA, arXiv 2106.09685): to the product of each frozen projection W x an update s B A x is added,
 * s = alpha / rank, and only A and B train. B starts at 0, so that training starts from the base model.
 *
 * Q, K and V are one matrix here, and so are gate and up, but each has an A and a B of its own, as in PEFT. The A of a
 * fused projection's parts lie under one another, and so do their B; products use B in blocks ({@link blockDiagonal}).
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { createMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { blockDiagonal, type PartStarts } from "../../gpu/ops/lora/block_diagonal.ts";
import { Domain, randomStream } from "../../gpu/random.ts";
import type { ModelConfig } from "./config.ts";
import {
  createLoraParams,
  eachFused,
  FUSED,
  type Fused,
  fusedShape,
  loraMatrices,
  type LoraParams,
  outputsOf,
  startsOf,
} from "./lora_params.ts";

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

/** s, by which B A is multiplied. */
export const scaleOf = ({ rank, alpha, rankStabilised }: LoraSettings): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

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

/** Gives a model a new adapter, from which training starts at the model as it is. */
export function addAdapter(
  model: { gpu: Gpu; config: ModelConfig; adapter?: Adapter },
  settings: LoraSettings,
  seed: number,
): Adapter {
  const { gpu, config } = model;
  model.adapter = createAdapter(gpu, config, settings);
  initialiseAdapter(gpu, config, model.adapter, seed);
  return model.adapter;
}

/**
 * Fills a new adapter as PEFT does: A uniform within 1 / sqrt(inputs) (Kaiming's bound for a = sqrt(5)), drawn by
 * Philox from the domain of initial weights; B stays 0.
 */
function initialiseAdapter(gpu: Gpu, config: ModelConfig, adapter: Adapter, seed: number): void {
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

/** Whether an adapter adapts the projection of that name; names as Hugging Face folders write them. */
export const isTarget = ({ targets }: LoraSettings, name: string): boolean =>
  targets === undefined || targets.includes(name.replace(/^.*\./, ""));

/** Brings what the blocks use up to date with A and B: after loading, and after each update. */
export function refreshAdapter(gpu: Gpu, { params, layers }: Adapter): void {
  layers.forEach((layer, i) => {
    for (const fused of FUSED) {
      const { starts, scale, blocks } = layer[fused];
      blockDiagonal(gpu, params.lora[i][fused].b, starts, scale, blocks);
    }
  });
}

/** Frees an adapter's memory. */
export function freeAdapter(gpu: Gpu, { params, layers }: Adapter): void {
  for (const matrix of loraMatrices(params)) freeMatrix(gpu, matrix);
  for (const layer of layers) for (const fused of FUSED) freeMatrix(gpu, layer[fused].blocks);
}
