import type { ModelConfig } from "../../model/transformer/config.ts";

/**
 * Angular frequencies of the rotary embedding, [headDim / 2], radians per position, with the configuration's
 * scaling: base theta^(-2i/headDim); "linear" divides them all; "llama3" divides those whose wavelength exceeds
 * originalMaxPosition / lowFreqFactor, keeps those below originalMaxPosition / highFreqFactor and blends between.
 */
export function ropeFrequencies(
  config: Pick<ModelConfig, "headDim" | "ropeTheta" | "ropeScaling">,
): Float64Array {
  const { headDim, ropeTheta, ropeScaling: scaling } = config;
  const frequencies = new Float64Array(headDim / 2);
  for (let i = 0; i < headDim / 2; i++) {
    const frequency = ropeTheta ** (-2 * i / headDim);
    if (!scaling) frequencies[i] = frequency;
    else if (scaling.type === "linear") frequencies[i] = frequency / scaling.factor;
    else {
      const turns = scaling.originalMaxPosition * frequency / (2 * Math.PI); // Over the original context.
      const blend = (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
      const keep = Math.min(1, Math.max(0, blend));
      frequencies[i] = keep * frequency + (1 - keep) * frequency / scaling.factor;
    }
  }
  return frequencies;
}

/**
 * Rotates each head of x [rows, heads * headDim] by its row's position: dimension i is paired with i + headDim / 2
 * (the "rotate half" convention of Hugging Face). `direction` -1 rotates back, which is the backward pass.
 */
export function rope(
  x: Float64Array,
  positions: ArrayLike<number>,
  frequencies: Float64Array,
  heads: number,
  headDim: number,
  direction: 1 | -1 = 1,
): Float64Array {
  const half = headDim / 2;
  const y = new Float64Array(x.length);
  for (let r = 0; r < positions.length; r++) {
    for (let h = 0; h < heads; h++) {
      const base = (r * heads + h) * headDim;
      for (let i = 0; i < half; i++) {
        const angle = direction * positions[r] * frequencies[i];
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        y[base + i] = x[base + i] * c - x[base + half + i] * s;
        y[base + half + i] = x[base + half + i] * c + x[base + i] * s;
      }
    }
  }
  return y;
}

/** The gradient of `rope` with respect to x for the upstream gradient dy: the inverse rotation. */
export function ropeBackward(
  dy: Float64Array,
  positions: ArrayLike<number>,
  frequencies: Float64Array,
  heads: number,
  headDim: number,
): Float64Array {
  return rope(dy, positions, frequencies, heads, headDim, -1);
}

/** (cos, sin) [positions, headDim / 2], in f64 and then rounded. */
export function ropeTable(positions: number, headDim: number, theta: number) {
  const frequencies = ropeFrequencies({ headDim, ropeTheta: theta, ropeScaling: undefined });
  const table = new Float32Array(positions * headDim);
  for (let p = 0; p < positions; p++) {
    frequencies.forEach((f, i) => table.set([Math.cos(p * f), Math.sin(p * f)], p * headDim + 2 * i));
  }
  return { frequencies, table };
}
