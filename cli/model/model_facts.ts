import type { ModelFiles } from "../../model/files/model_files.ts";
import { readAdapterConfig } from "../../model/lora/adapter_config.ts";
import { countWeights } from "../../model/memory/count_weights.ts";

/** What a model is: its place, hash, shape, tokenizer, and the types that it is stored as. */
export function modelFacts(
  name: string,
  { folder, file, config, tokenizer, weights, hash, ...files }: ModelFiles,
) {
  const adapter = files.adapter && {
    folder: files.adapter.folder,
    base: files.adapter.base.name,
    rank: readAdapterConfig(files.adapter.folder).rank,
  };
  const types = new Set([...weights.tensors.values()].map(({ dtype }) => dtype));
  return {
    name,
    folder: folder ?? null,
    file: file ?? null,
    adapter: adapter ?? null,
    hash: hash(),
    config,
    parameters: countWeights(config),
    storedAs: [...types].sort(),
    tensors: weights.tensors.size,
    tokenizer: {
      tokens: tokenizer.size,
      byTokens: tokenizer.tokenBytes !== undefined,
      bosId: tokenizer.bosId ?? null,
      eosId: tokenizer.eosId ?? null,
    },
    embeddingRms: files.embeddingRms,
    rmsMeasured: files.rmsMeasured,
  };
}
