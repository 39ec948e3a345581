import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { PADDED_VOCAB_SIZE } from "../../model/builtin/words.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { initialise } from "../../model/transformer/initialise.ts";
import { createModel, type Model } from "../../model/transformer/transformer.ts";
import type { SftValues } from "./sft_settings.ts";

/**
 * A new model of the given shape, with the embedded tokenizer.
 * @throws UserError if no such model can be made
 */
export function newModel(gpu: Gpu, values: SftValues): { model: Model; tokenizer: Tokenizer } {
  const { width, heads } = values;
  if (width % heads !== 0 || width / heads % 4 !== 0) {
    throw new UserError(
      `Cannot make a model of width ${width} with ${heads} heads: a head must be a multiple of 4 wide`,
    );
  }
  const tokenizer = builtinTokenizer();
  const config: ModelConfig = {
    architecture: "llama",
    vocabSize: PADDED_VOCAB_SIZE,
    hiddenSize: width,
    layers: values.layers,
    heads,
    kvHeads: heads,
    headDim: width / heads,
    intermediateSize: values.mlp,
    normEps: 1e-5,
    ropeTheta: 10000,
    tied: true,
    qkvBias: false,
    qkNorm: false,
    maxPosition: values.context,
    eosTokenIds: tokenizer.eosId === undefined ? [] : [tokenizer.eosId],
    usedVocabSize: tokenizer.size,
  };
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, values.seed);
  return { model, tokenizer };
}
