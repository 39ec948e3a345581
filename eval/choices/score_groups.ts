import type { Scratch } from "../../gpu/arena.ts";
import { categorical } from "../../gpu/ops/categorical/categorical.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { headChunkRows, logits } from "../../model/transformer/head.ts";
import { createKvCache, type KvCache } from "../../model/transformer/kv_cache.ts";
import { packGroups, uploadLayout } from "../../model/transformer/packing.ts";
import { qkvWidth } from "../../model/transformer/params.ts";
import { finalNorm, forwardCached, type Model } from "../../model/transformer/transformer.ts";
import { type ChoiceGroup, rowsOfGroup } from "./encode_choices.ts";

/** Most rows that one pass can take: no tensor of it may exceed a binding. */
export function mostPassRows({ gpu, config }: Model): number {
  const widest = Math.max(2 * config.intermediateSize, qkvWidth(config), config.hiddenSize);
  return Math.floor(gpu.maxBinding / (4 * widest));
}

/**
 * ln p of every token of every continuation, given its context: one forward pass over the packed rows, in which the
 * choices of a question share its context. The softmax runs over all columns of the head, as lm-evaluation-harness's does.
 *
 * @param groups together at most {@link mostPassRows} rows
 * @param onLogits given the logits [rows, vocabSize] of each chunk of tokens, in their order, before anything is made of them; the next
 * chunk waits for it
 * @returns for each group, for each of its continuations, ln p by token
 */
export async function scoreGroups(
  model: Model,
  groups: readonly ChoiceGroup[],
  onLogits?: (z: Tensor) => Promise<void>,
): Promise<Float32Array[][]> {
  if (groups.length === 0) return [];
  const { gpu, config, params } = model;
  using scratch = gpu.arena.scratch();
  const { packed, ids, rows, targets } = packChoices(groups, gpu.subgroupSize);
  const words = (data: Uint32Array<ArrayBuffer>) => {
    const tensor = scratch.u32([data.length], "choice words");
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  const x = scratch.f32([ids.length, config.hiddenSize], "choice rows");
  gather(gpu, params.embedding, words(ids), x);
  const layout = uploadLayout(gpu, scratch, packed);
  forwardCached(model, x, passingCache(scratch, model, ids.length), { ...layout, shift: 0 });
  const scored = await logProbabilities(model, x, words(rows), words(targets), scratch, onLogits);
  const logp = new Float32Array(await gpu.reader.read(scored));
  let at = 0;
  return groups.map(({ continuations }) =>
    continuations.map(({ length }) => logp.subarray(at, at += length))
  );
}

/** The rows of a pass: each context, then its continuations but for their last tokens; and what each row is to predict. */
function packChoices(groups: readonly ChoiceGroup[], tileRows: number) {
  const packed = packGroups(
    groups.map(({ context, continuations }) => ({
      prompt: context.length,
      continuations: continuations.map((tokens) => tokens.length - 1),
    })),
    tileRows,
  );
  const ids = new Uint32Array(groups.reduce((sum, group) => sum + rowsOfGroup(group), 0));
  const rows: number[] = [];
  const targets: number[] = [];
  groups.forEach(({ context, continuations }, g) => {
    const [first, ...starts] = packed.starts[g];
    ids.set(context, first);
    continuations.forEach((tokens, c) => {
      ids.set(tokens.slice(0, -1), starts[c]);
      tokens.forEach((_, t) => rows.push(t === 0 ? first + context.length - 1 : starts[c] + t - 1));
      targets.push(...tokens);
    });
  });
  return { packed, ids, rows: Uint32Array.from(rows), targets: Uint32Array.from(targets) };
}

/** Nothing is generated after the pass, so each layer may write its keys and values over those of the one before. */
function passingCache(scratch: Scratch, { config }: Model, rows: number): KvCache {
  const { layers: [only] } = createKvCache(scratch, { ...config, layers: 1 }, rows);
  return { rows, layers: new Array(config.layers).fill(only) };
}

/** ln p of `targets` [count] by the outputs of `rows` [count] of x, in chunks: (tokens x V) never exists as a whole. */
export async function logProbabilities(
  model: Model,
  x: Tensor,
  rows: Tensor,
  targets: Tensor,
  scratch: Scratch,
  onLogits?: (z: Tensor) => Promise<void>,
): Promise<Tensor> {
  const { gpu, config } = model;
  const count = targets.shape[0];
  const logp = scratch.f32([count], "choice log-probabilities");
  const weights = scratch.f32([count], "no weights");
  const chunk = headChunkRows(model);
  for (let first = 0; first < count; first += chunk) {
    using temporary = gpu.arena.scratch();
    const here = Math.min(chunk, count - first);
    const of = (tensor: Tensor) => rowsOf(tensor, first, here);
    const [picked, normed] = ["picked", "normed"].map((name) =>
      temporary.f32([here, config.hiddenSize], `choice ${name}`)
    );
    gather(gpu, x, of(rows), picked);
    finalNorm(model, picked, normed, temporary.f32([here], "choice rinv"));
    const z = logits(model, normed, temporary);
    if (onLogits) await onLogits(z);
    categorical(gpu, z, config.vocabSize, 1, of(targets), of(weights), of(logp), false);
  }
  return logp;
}
