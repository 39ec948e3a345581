import { gather, NO_ROW } from "../gpu/ops/gather/gather.ts";
import { addNoise } from "../gpu/ops/mixture/noise.ts";
import { Domain } from "../gpu/random.ts";
import { asMatrix, type Tensor } from "../gpu/tensor.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { uploadWords } from "./through_head.ts";

/** Gaussian noise on the rows that a completion is read from, so that a model learns to bear rows that are no token's. */
export interface InputNoise {
  /** Standard deviation on each coordinate. */
  sigma: number;
  /** Of the draws. */
  seed: number;
  /** Of the update: the draws' last word. */
  step: number;
}

/** A row of the batch that gets noise: which it is, of which example, at which position. */
export interface NoisyRow {
  row: number;
  example: number;
  position: number;
}

/** x [rows, d] += sigma eps on these rows; a draw depends on seed, step, example and position alone. */
export function addInputNoise(model: Model, x: Tensor, noisy: readonly NoisyRow[], noise: InputNoise): void {
  if (noise.sigma === 0 || noisy.length === 0) return;
  const { gpu } = model;
  const { rows, cols: d } = asMatrix(x);
  using scratch = gpu.arena.scratch();
  const back = new Uint32Array(rows).fill(NO_ROW);
  const info = new Uint32Array(noisy.length * 4);
  noisy.forEach(({ row, example, position }, i) => {
    back[row] = i;
    info.set([0, example, 0, position], 4 * i);
  });
  const clean = scratch.f32([noisy.length, d], "clean rows");
  const drawn = scratch.f32([noisy.length, d], "noisy rows");
  gather(gpu, x, uploadWords(model, scratch, Uint32Array.from(noisy, ({ row }) => row)), clean);
  const infos = { ...uploadWords(model, scratch, info), shape: [noisy.length, 4] };
  const key = { seed: noise.seed, domain: Domain.demonstrations, step: noise.step };
  // Rollouts keep such rows, here nobody reads them again: all examples write to one place.
  addNoise(
    gpu,
    clean,
    noise.sigma,
    { info: infos, shift: 0, key },
    drawn,
    scratch.f32([1, 1, d], "unused"),
    0,
  );
  gather(gpu, drawn, uploadWords(model, scratch, back), x);
}
