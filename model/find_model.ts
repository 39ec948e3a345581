import type { Gpu } from "../gpu/device.ts";
import { type LoadedModel, readParams } from "./checkpoint.ts";
import { openModelFiles } from "./model_files.ts";
import { createModel } from "./transformer.ts";

/** A model ready for use, with the unit of the noise. */
export interface FoundModel extends LoadedModel {
  /** RMS(E) of the base model: from softcot.json, or measured now where there is none (method section 2). */
  embeddingRms: number;
  /** The model's folder; absent for the embedded model. */
  folder?: string;
  /** SHA-256 of the weight files' bytes, in hexadecimal. */
  hash(): string;
}

/**
 * Loads the model of a name: `builtin` (the embedded one), a Hugging Face folder, or the folder of a run, which
 * stands for its best checkpoint, else its newest.
 * @throws UserError if nothing is found, saying what was looked for, or what was found is damaged
 */
// deno-lint-ignore require-await
export async function findModel(gpu: Gpu, name: string): Promise<FoundModel> {
  using files = openModelFiles(name);
  const { config, tokenizer, weights, folder, embeddingRms, hash } = files;
  const model = createModel(gpu, config);
  const source = folder ?? name;
  readParams(gpu, config, weights, model.params, source);
  return { model, tokenizer, source, embeddingRms, folder, hash };
}
