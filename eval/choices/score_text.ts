import { gather } from "../../gpu/ops/gather/gather.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { createKvCache } from "../../model/transformer/kv_cache.ts";
import { packRows, uploadLayout } from "../../model/transformer/packing.ts";
import { forwardCached, type Model } from "../../model/transformer/transformer.ts";
import { logProbabilities } from "./score_groups.ts";

/**
 * ln p of each token of one text but the first, given those before it: the numbers of `scoreGroups` to the bit, computed a part at a time,
 * between which the device may do other work. The text has keys and values of its own meanwhile.
 *
 * @param ids of the text, two at least
 * @param partRows rows of a part, at most
 * @param onLogits as for `scoreGroups`
 * @returns when all parts are done: ln p by token, from the second on
 */
export async function* scoreText(
  model: Model,
  ids: readonly number[],
  partRows: number,
  onLogits?: (z: Tensor) => Promise<void>,
): AsyncGenerator<void, number[]> {
  const { gpu, config, params } = model;
  // The last token is never an input.
  const rows = ids.length - 1;
  using scratch = gpu.arena.scratch();
  const cache = createKvCache(scratch, config, rows);
  const scores: number[] = [];
  for (let first = 0; first < rows; first += partRows) {
    if (first > 0) yield;
    const count = Math.min(partRows, rows - first);
    using temporary = gpu.arena.scratch();
    const words = (data: Iterable<number>) => {
      const tensor = temporary.u32([count], "text words");
      gpu.commands.upload(tensor, Uint32Array.from(data));
      return tensor;
    };
    const x = temporary.f32([count, config.hiddenSize], "text rows");
    const inputs = words(ids.slice(first, first + count));
    const targets = words(ids.slice(first + 1, first + 1 + count));
    const all = words(Array(count).keys());
    const run = { rows: count, prefixStart: 0, prefixLen: 0, ownStart: 0, position: first };
    const layout = uploadLayout(gpu, temporary, packRows([run], gpu.subgroupSize));
    gather(gpu, params.embedding, inputs, x);
    forwardCached(model, x, cache, { ...layout, shift: 0 });
    const scored = await logProbabilities(model, x, all, targets, temporary, onLogits);
    scores.push(...new Float32Array(await gpu.reader.read(scored)));
  }
  return scores;
}
