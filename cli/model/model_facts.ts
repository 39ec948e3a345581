import type { ModelFiles } from "../../model/files/model_files.ts";
import { countWeights } from "../../model/memory/count_weights.ts";
import { openSafetensors } from "../../model/formats/safetensors.ts";
import { ADAPTER_WEIGHTS, readAdapterConfig } from "../../model/lora/adapter_config.ts";
import { modelFile } from "../../model/files/model_file.ts";
import { tensorShapes } from "../../model/transformer/params.ts";
import { type NotFinite, notFiniteIn } from "../../model/weights/not_finite_in.ts";

/**
 * What a model is: its place, hash, shape, tokenizer, the types that it is stored as, and which of its weights are no finite numbers.
 *
 * @param onProgress told how many weights have been looked at, and of how many
 */
export function modelFacts(
  name: string,
  { folder, file, config, tokenizer, weights, hash, ...files }: ModelFiles,
  onProgress: (done: number, total: number) => void,
) {
  const adapter = files.adapter && {
    folder: files.adapter.folder,
    base: files.adapter.base.name,
    rank: readAdapterConfig(files.adapter.folder).rank,
  };
  const parameters = countWeights(config);
  const used = Array.from(tensorShapes(config), ({ name }) => name);
  const types = new Set([...weights.tensors.values()].map(({ dtype }) => dtype));
  return {
    name,
    folder: folder ?? null,
    file: file ?? null,
    adapter: adapter ?? null,
    hash: hash(),
    config,
    parameters,
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
    notFinite: [
      ...notFiniteIn(weights, used, (done) => onProgress(done, parameters)),
      ...(adapter ? notFiniteOfAdapter(adapter.folder) : []),
    ],
  };
}

function notFiniteOfAdapter(folder: string): NotFinite[] {
  const file = openSafetensors(modelFile(folder, ADAPTER_WEIGHTS));
  try {
    return notFiniteIn(file, [...file.tensors.keys()]);
  } finally {
    file.close();
  }
}
