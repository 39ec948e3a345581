/** Small models for tests: one of random weights, and one that says what it is told. */
import type { Gpu } from "../../../gpu/gpu.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { builtinConfig } from "../../../model/builtin/builtin_model.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { initialise } from "../../../model/transformer/initialise.ts";
import { createModel, type Model } from "../../../model/transformer/transformer.ts";

/** The embedded model's tokenizer: both models use it. */
export const tokenizer = builtinTokenizer();

/** Ids at or above this are padding. */
export const USED = tokenizer.size;

/** The shape of the embedded model, smaller where it may be. */
export const SMALL: ModelConfig = { ...builtinConfig(), layers: 2, kvHeads: 2, intermediateSize: 112 };

/** Random weights: all tokens are about as probable, and each depends on all before it. */
export function randomModel(gpu: Gpu, config: ModelConfig = SMALL, seed = 0): Model {
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, seed);
  return model;
}

/** The id of one token by its text; `<end>` is the end token. */
export function idOf(text: string): number {
  if (text === "<end>") return 0;
  const ids = tokenizer.encode(text);
  if (ids.length !== 1) throw new Error(`${JSON.stringify(text)} is ${ids.length} tokens`);
  return ids[0];
}

/**
 * A model whose next token depends on the last one alone: `chains` are lists of tokens, each followed by the next. Its
 * blocks add nothing, its embedding is one-hot, its head a table. Padding has larger logits than any token.
 */
export function scriptedModel(gpu: Gpu, ...chains: string[][]): Model {
  const config: ModelConfig = { ...SMALL, hiddenSize: 80, layers: 1, tied: false };
  const model = createModel(gpu, config);
  const table = new Float32Array(80 * 80);
  const oneHot = new Float32Array(80 * 80);
  for (let i = 0; i < 80; i++) oneHot[i * 81] = 1;
  for (const chain of chains) {
    chain.slice(1).forEach((text, i) => table[idOf(text) * 80 + idOf(chain[i])] = 10);
  }
  for (let id = USED; id < 80; id++) table.fill(20, id * 80, (id + 1) * 80);
  uploadRows(gpu, model.params.embedding, 0, oneHot);
  uploadRows(gpu, model.params.head, 0, table);
  uploadRows(gpu, model.params.finalNorm, 0, new Float32Array(80).fill(1));
  return model;
}
