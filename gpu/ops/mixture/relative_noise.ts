import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import type { DrawAddress } from "./noise.ts";
import code from "./relative_noise.wgsl" with { type: "text" };

/** Noise on the first `n` columns of each row, of a standard deviation of `scale` times their root mean square. */
export interface RelativeNoise {
  n: number;
  scale: number;
  at: DrawAddress;
}

/** x [rows, width] gets the noise, in place; columns from n on stay. */
export function addRelativeNoise(gpu: Gpu, x: Tensor, noise: RelativeNoise): void {
  using scratch = gpu.arena.scratch();
  const unused = scratch.f32([1], "unused");
  dispatch(gpu, 0, x, noise, { factor: unused, stats: scratch.f32([4], "unused stats") });
}

/** What a score is multiplied by, and what is told about it. */
export interface ScoreOf {
  /** [rows]. */
  factor: Tensor;
  /** The score of the noise's size too; else that is taken for a constant, a surrogate. */
  whole: boolean;
  /** Bound on the norm of a row's gradient; 0 for none. */
  clip: number;
  /** [rows, 4]: becomes (the norm before clipping, 0, 0, 0). */
  stats: Tensor;
}

/** x [rows, width], as it was before its noise, becomes factor d ln pi / dx for the noise as it was drawn; columns from n on become 0. */
export function relativeNoiseScore(gpu: Gpu, x: Tensor, noise: RelativeNoise, score: ScoreOf): void {
  const { rows } = asMatrix(x);
  expectShape("relative noise", score.factor, [rows]);
  expectShape("relative noise", score.stats, [rows, 4]);
  dispatch(gpu, 1, x, noise, score);
}

function dispatch(
  gpu: Gpu,
  mode: number,
  x: Tensor,
  { n, scale, at }: RelativeNoise,
  { factor, stats, whole = false, clip = 0 }: Pick<ScoreOf, "factor" | "stats"> & Partial<ScoreOf>,
): void {
  const { rows, cols: ld } = asMatrix(x);
  expectShape("relative noise", at.info, [rows, 4]);
  const kernel = vocabularyKernel("relative_noise", n, () => `${randomSource}\n${code}`);
  const params = {
    ...{ rows, n, ld, mode, scale, whole: whole ? 1 : 0, clip },
    ...{ shift: at.shift, ...at.key },
  };
  run(gpu, kernel, [x, at.info, factor, stats], params, grid(rows));
}
