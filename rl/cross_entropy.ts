import { categorical } from "../gpu/ops/categorical/categorical.ts";
import { gather } from "../gpu/ops/gather/gather.ts";
import { rowsOf } from "../gpu/tensor.ts";
import { packGroups, uploadLayout } from "../model/transformer/packing.ts";
import type { Gradients } from "../model/transformer/params.ts";
import { backwardTraining, forwardTraining, type Model } from "../model/transformer/transformer.ts";
import { addInputNoise, type InputNoise, type NoisyRow } from "./input_noise.ts";
import { embeddingBackward, throughHead, uploadWords } from "./through_head.ts";

/** Token ids whose ids from `from` on are to be predicted; the ones before are given. */
export interface Example {
  ids: readonly number[];
  /** At least 1. */
  from: number;
}

/**
 * Adds to `grads` the gradient of -scale * sum of ln p(id) over the predicted ids of one micro-batch, and
 * returns a function that fetches those ln p, example by example.
 * @param noise on the rows of the predicted ids, where they are inputs; none if left out
 */
export function accumulateCrossEntropy(
  model: Model,
  grads: Gradients,
  examples: readonly Example[],
  scale: number,
  recompute: boolean,
  noise?: InputNoise,
): () => Promise<Float32Array> {
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  // The last id is predicted, never an input.
  const packed = packGroups(
    examples.map(({ ids }) => ({ prompt: ids.length - 1, continuations: [] })),
    gpu.subgroupSize,
  );
  const ids = Uint32Array.from(examples.flatMap((example) => example.ids.slice(0, -1)));
  const rows: number[] = [];
  const targets: number[] = [];
  const noisy: NoisyRow[] = [];
  examples.forEach((example, i) => {
    const [start] = packed.starts[i];
    for (let t = example.from; t < example.ids.length; t++) {
      rows.push(start + t - 1);
      targets.push(example.ids[t]);
      if (noise && t + 1 < example.ids.length) noisy.push({ row: start + t, example: i, position: t });
    }
  });
  const x = scratch.f32([ids.length, config.hiddenSize], "training rows");
  gather(gpu, model.params.embedding, uploadWords(model, scratch, ids), x);
  if (noise) addInputNoise(model, x, noisy, noise);
  const saved = forwardTraining(model, x, uploadLayout(gpu, scratch, packed), scratch, recompute);
  const dx = scratch.f32(x.shape, "d rows");
  gpu.commands.zero(dx);
  const target = uploadWords(model, scratch, Uint32Array.from(targets));
  const weights = scratch.f32([rows.length], "weights");
  gpu.commands.upload(weights, new Float32Array(rows.length).fill(-scale));
  const logp = scratch.f32([rows.length], "logp");
  throughHead(model, grads, saved, Uint32Array.from(rows), dx, (z, first, count) => {
    const [t, w, l] = [target, weights, logp].map((tensor) => rowsOf(tensor, first, count));
    categorical(gpu, z, config.usedVocabSize, 1, t, w, l, true);
    return { logits: z };
  });
  backwardTraining(model, saved, grads, dx);
  embeddingBackward(model, grads, ids, dx);
  const fetch = gpu.reader.start(logp);
  return async () => new Float32Array(await fetch());
}
