import { createMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { castToHalf } from "../../gpu/ops/repack/cast_to_half.ts";
import type { Model } from "../transformer/transformer.ts";

/** A second set of a model's weights in f16, for generation while the model itself trains in f32. Disposing frees it. */
export interface HalfCopy extends Disposable {
  /** Its large matrices are f16; norms, biases and rotary table are the model's own. */
  model: Model;
  /** Rounds the model's weights anew: to be called after each update. */
  refresh(): void;
}

/**
 * Makes a copy of a model's weights in f16.
 * @throws Error if the model's own are not f32
 */
export function createHalfCopy(model: Model): HalfCopy {
  const { gpu, params } = model;
  const pairs: { from: Matrix; to: Matrix }[] = [];
  const half = (from: Matrix): Matrix => {
    if (from.dtype !== "f32") {
      throw new Error(`Cannot copy ${from.label} to f16: it is ${from.dtype}, f32 is needed`);
    }
    const to = createMatrix(gpu, from.rows, from.cols, "f16", `f16 of ${from.label}`);
    pairs.push({ from, to });
    return to;
  };
  const embedding = half(params.embedding);
  const copied = {
    ...params,
    embedding,
    head: params.head === params.embedding ? embedding : half(params.head),
    layers: params.layers.map((layer) => ({
      ...layer,
      qkv: half(layer.qkv),
      attentionOut: half(layer.attentionOut),
      gateUp: half(layer.gateUp),
      down: half(layer.down),
    })),
  };
  const refresh = () => pairs.forEach(({ from, to }) => castToHalf(gpu, from, to));
  refresh();
  return {
    model: { ...model, params: copied },
    refresh,
    [Symbol.dispose]: () => pairs.forEach(({ to }) => freeMatrix(gpu, to)),
  };
}
