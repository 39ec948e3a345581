import type { Draws } from "./way.ts";

/** ln Gamma(x), x > 0: Stirling's series above 10, the recurrence below. */
export function logGamma(x: number): number {
  let shift = 0;
  for (; x < 10; x++) shift += Math.log(x);
  const y = 1 / (x * x);
  const series = (1 / 12 + y * (-1 / 360 + y * (1 / 1260 + y * (-1 / 1680 + y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** psi(x) = d ln Gamma(x) / dx, x > 0, the same way. */
export function digamma(x: number): number {
  let shift = 0;
  for (; x < 10; x++) shift += 1 / x;
  const y = 1 / (x * x);
  const series = y * (1 / 12 + y * (-1 / 120 + y * (1 / 252 + y * (-1 / 240 + y / 132))));
  return Math.log(x) - 0.5 / x - series - shift;
}

/** Tries of one gamma draw: each fails with a probability below 0.05, so all of them once in 10^10. */
export const GAMMA_TRIES = 8;

/** What one gamma draw takes: a normal and a uniform a try, and one uniform more. */
export const GAMMA_DRAWS = { uniforms: GAMMA_TRIES + 1, normals: GAMMA_TRIES };

/**
 * The logarithm of a Gamma(shape, 1) draw, the `index`-th of a step: Marsaglia and Tsang (ACM TOMS 26, 2000) at shape + 1, times
 * U^(1 / shape). As a logarithm, for U^(1 / shape) underflows where a shape is small: at 0.001 half of all draws lie
 * below 1e-300. After the last try, the last value counts whatever its test says.
 */
export function logGammaDraw(shape: number, { uniforms, normals }: Draws, index: number): number {
  const c = shape + 1 - 1 / 3;
  const firstUniform = index * GAMMA_DRAWS.uniforms;
  let v = 1;
  for (let t = 0; t < GAMMA_TRIES; t++) {
    const normal = normals[index * GAMMA_TRIES + t];
    const root = 1 + normal / Math.sqrt(9 * c);
    if (root <= 0) continue;
    v = root ** 3;
    if (Math.log(uniforms[firstUniform + t]) < normal * normal / 2 + c * (1 - v + Math.log(v))) break;
  }
  return Math.log(c * v) + Math.log(uniforms[firstUniform + GAMMA_TRIES]) / shape;
}
