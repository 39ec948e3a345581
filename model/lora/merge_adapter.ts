import { matmulNN } from "../../gpu/ops/matmul/matmul.ts";
import { freeAdapter } from "../transformer/adapter.ts";
import { FUSED } from "../transformer/lora_params.ts";
import type { Model } from "../transformer/transformer.ts";

/**
 * Adds a model's adapter to its weights, W += s B A, in place, and frees it: for export, where a plain model is wanted.
 * Its outputs stay the same but for rounding. Without an adapter nothing happens.
 * @throws Error if the weights are not f32: halves would lose what small updates say
 */
export function mergeAdapter(model: Model): void {
  const { gpu, params, adapter } = model;
  if (!adapter) return;
  params.layers.forEach((layer, i) => {
    for (const fused of FUSED) {
      const weight = layer[fused];
      if (weight.dtype !== "f32") {
        throw new Error(`Cannot merge an adapter into ${weight.label}: it is ${weight.dtype}, f32 is needed`);
      }
      const { a, blocks } = adapter.layers[i][fused];
      let row = 0;
      for (const chunk of weight.chunks) {
        using scratch = gpu.arena.scratch();
        const [rows] = chunk.shape;
        const part = scratch.f32([rows, blocks.cols], "merged blocks");
        // The blocks may lie in chunks of other sizes.
        for (let done = 0; done < rows;) {
          const from = blocks.chunks[Math.floor((row + done) / blocks.chunkRows)];
          const first = (row + done) % blocks.chunkRows;
          const count = Math.min(rows - done, from.shape[0] - first);
          gpu.commands.copy(from, first * blocks.cols, part, done * blocks.cols, count * blocks.cols);
          done += count;
        }
        matmulNN(gpu, part, a, chunk, { accumulate: true });
        row += rows;
      }
    }
  });
  freeAdapter(gpu, adapter);
  delete model.adapter;
}
