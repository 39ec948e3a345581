import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type RandomKey, randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import ratioCode from "./noise_ratio.wgsl" with { type: "text" };
import noiseCode from "./noise.wgsl" with { type: "text" };
import rowNoiseCode from "./row_noise.wgsl" with { type: "text" };

/** The rows' place in a stream of random numbers: info u32 [rows, 4] = (row, rollout, _, position), `shift` further. */
export interface DrawAddress {
  info: Tensor;
  shift: number;
  key: RandomKey;
}

/** Their place in the stream of Gaussian noise. */
interface NoiseAddress extends DrawAddress {
  /** Rollouts 2 i and 2 i + 1 have opposite noise; no if left out. */
  antithetic?: boolean;
}

/**
 * next[rows, d] = m + sigma eps, the noisy rows that the next step reads; also to `column` of fed [rows, columns, d].
 * sigma 0 adds nothing. The weights p and m = p E come from `choose` and `matmulNN`.
 */
export function addNoise(
  gpu: Gpu,
  m: Tensor,
  sigma: number,
  at: NoiseAddress,
  next: Tensor,
  fed: Tensor,
  column: number,
): void {
  expectShape("add_noise", next, m.shape);
  using scratch = gpu.arena.scratch();
  noise(gpu, 0, m, sigma, at, next, fed, scratch.f32([1], "unused"), fed.shape[1], column);
}

/** g[rows, d] = weight[rows] eps / sigma: the gradient of weight * ln pi with respect to m, from the recorded noise. */
export function noiseBackward(gpu: Gpu, weight: Tensor, sigma: number, at: NoiseAddress, g: Tensor): void {
  using scratch = gpu.arena.scratch();
  noise(gpu, 1, g, sigma, at, scratch.f32([1], "unused"), scratch.f32([1], "unused"), weight, 0, 0);
}

/**
 * out[rows] = rms over dimensions of (h - (m + sigma eps)) / unit: how far training's mixture m is from the
 * rollout's, whose noisy rows are h [rows, d]. Exactly 0 when m has the same bits. Without noise sigma is 0.
 * @param unit sigma if left out
 */
export function noiseMismatch(
  gpu: Gpu,
  m: Tensor,
  h: Tensor,
  sigma: number,
  at: NoiseAddress,
  out: Tensor,
  unit = sigma,
): void {
  expectShape("noise_mismatch", h, m.shape);
  using scratch = gpu.arena.scratch();
  noise(gpu, 2, m, sigma, at, h, scratch.f32([1], "unused"), out, 0, 0, unit);
}

/**
 * g[rows, d], the gradient of weight * ln pi with respect to m where rows h [rows, d] were made by an older policy: weighed by the ratio of
 * densities, none above a bound. Where m has the bits of the rollout's it is that of {@link noiseBackward}, to the bit.
 * @param logRatio [rows]: becomes the logarithm of the ratio, not bounded
 */
export function noiseRatioBackward(
  gpu: Gpu,
  { m, h, weight, sigma, bound }: { m: Tensor; h: Tensor; weight: Tensor; sigma: number; bound: number },
  at: NoiseAddress,
  g: Tensor,
  logRatio: Tensor,
): void {
  const { rows, cols: d } = asMatrix(m);
  for (const tensor of [h, g]) expectShape("noise_ratio", tensor, m.shape);
  for (const tensor of [weight, logRatio]) expectShape("noise_ratio", tensor, [rows]);
  expectShape("noise_ratio", at.info, [rows, 4]);
  run(
    gpu,
    { label: "noise_ratio", code: () => withRowNoise(gpu, ratioCode) },
    [at.info, m, h, weight, g, logRatio],
    { rows, d, sigma, log_bound: Math.log(bound), shift: at.shift, pairs: at.antithetic ? 1 : 0, ...at.key },
    grid(rows),
  );
}

const withRowNoise = ({ subgroupSize }: Gpu, code: string): string =>
  `const S = ${subgroupSize}u;\n${randomSource}${rowNoiseCode}${code}`;

function noise(
  gpu: Gpu,
  mode: number,
  m: Tensor,
  sigma: number,
  at: NoiseAddress,
  next: Tensor,
  fed: Tensor,
  weight: Tensor,
  columns: number,
  column: number,
  unit = sigma,
): void {
  const { rows, cols: d } = asMatrix(m);
  expectShape("noise", at.info, [rows, 4]);
  if (d % 4 !== 0) throw new Error(`Cannot add noise to rows of ${d}: the width must be a multiple of 4`);
  run(
    gpu,
    { label: "noise", code: () => withRowNoise(gpu, noiseCode) },
    [at.info, m, next, fed, weight],
    { rows, d, mode, sigma, unit, columns, column, shift: at.shift, pairs: at.antithetic ? 1 : 0, ...at.key },
    grid(rows),
  );
}
