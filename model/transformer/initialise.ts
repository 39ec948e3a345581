import type { Gpu } from "../../gpu/gpu.ts";
import type { Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { Domain, randomStream } from "../../gpu/random.ts";
import type { ModelConfig } from "./config.ts";
import { matricesOf, type Params } from "./params.ts";

/**
 * Fills a new model's weights: normal with variance 1 / inputs, 0.02 for embeddings, the projections back into
 * the residual stream divided by sqrt(2 layers); norms 1, biases 0.
 */
export function initialise(gpu: Gpu, config: ModelConfig, params: Params, seed: number): void {
  const residual = 1 / Math.sqrt(2 * config.layers);
  const scale = new Map<Matrix, number>([[params.embedding, 0.02], [params.head, 0.02]]);
  for (const { qkv, attentionOut, gateUp, down } of params.layers) {
    scale.set(qkv, 1 / Math.sqrt(qkv.cols));
    scale.set(gateUp, 1 / Math.sqrt(gateUp.cols));
    scale.set(attentionOut, residual / Math.sqrt(attentionOut.cols));
    scale.set(down, residual / Math.sqrt(down.cols));
  }
  matricesOf(params).forEach((matrix, i) => {
    const deviation = scale.get(matrix);
    const values = deviation !== undefined
      ? normals(seed, i, matrix.rows * matrix.cols, deviation)
      : new Float32Array(matrix.rows * matrix.cols).fill(matrix.rows === 1 ? 1 : 0);
    uploadRows(gpu, matrix, 0, values);
  });
}

function normals(seed: number, stream: number, count: number, deviation: number): Float32Array<ArrayBuffer> {
  const uniform = randomStream(seed, Domain.weights, stream);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** RMS(E), the root mean square of all entries of the embedding: the unit of the noise (method section 2). */
export function rootMeanSquare(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum / values.length);
}
