import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { letEventsIn } from "../../gpu/let_events_in.ts";
import { loadAdapter } from "../lora/load_adapter.ts";
import { locateAdapter } from "../lora/locate_adapter.ts";
import type { BaseModel } from "../transformer/adapter.ts";
import { createModel } from "../transformer/transformer.ts";
import { planWeights, type WeightForm } from "../weights/weight_types.ts";
import { adaptedHash, type ModelFiles, openModelFiles } from "./model_files.ts";
import { readingParams } from "./params_file.ts";
import type { LoadedModel } from "./save_model.ts";

/** A model ready for use, with the unit of the noise. */
export interface FoundModel extends LoadedModel {
  /** RMS(E) of the base model: from softcot.json, or measured now where there is none (method section 2). */
  embeddingRms: number;
  /** The model's folder; absent for the embedded model. */
  folder?: string;
  /** SHA-256 of the weight files' bytes, in hexadecimal; of base and adapter together where there are both. */
  hash(): string;
  /** How its weights are held. */
  weights: WeightForm;
  /** Whether that is every number as the file has it: results are those of f32. */
  exact: boolean;
  /** The model without its adapter: what an adapter trained on it names. */
  base(): BaseModel;
}

/** Options of {@link findModel}. */
export interface FindModelOptions {
  /** Folder of a LoRA adapter in PEFT's form, or a run trained with one, to put on top. */
  adapter?: string;
  /** How the weights are held on the device: f32 where it is left out, which alone can be trained in full. */
  weights?: WeightForm;
  /** Told after each tensor how many of the weights' bytes have been read. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Loads the model of a name: `builtin` (the embedded one), a Hugging Face folder, the folder of a run, which stands for
 * its best checkpoint, else its newest, a file of GGUF or llama2.c or a folder with exactly one, or the name of a
 * repository that was pulled from the hub. Weights go to the device in pieces of 16 MiB, converted to f32 or
 * as `weights` says.
 * @throws UserError if nothing is found, saying what was looked for, or what was found is damaged or cannot be held as asked
 */
export async function findModel(
  gpu: Gpu,
  name: string,
  options: FindModelOptions = {},
): Promise<FoundModel> {
  using files = openModelFiles(name);
  if (files.adapter && options.adapter !== undefined) {
    throw new UserError(
      `Cannot put the adapter ${options.adapter} on ${name}: it has one already, a whole model is needed`,
      `give its base model: --model ${files.adapter.base.name}`,
    );
  }
  const added = options.adapter === undefined ? undefined : locateAdapter(options.adapter);
  const { config, tokenizer, weights, folder, embeddingRms, hash, adapter } = files;
  const source = folder ?? name;
  const form = options.weights ?? "f32";
  const { types, exact } = planWeights(config, weights, form, name);
  const model = createModel(gpu, config, types);
  const reading = readingParams(gpu, config, weights, model.params, source, "", options.onProgress);
  for (const _ of reading) await letEventsIn();
  const base = () => adapter?.base ?? { name: lastingName(name, files), hash: hash() };
  const adapterFolder = adapter?.folder ?? added;
  if (adapterFolder !== undefined) model.adapter = loadAdapter(gpu, config, adapterFolder);
  if (model.adapter && adapter) model.adapter.base = adapter.base;
  return {
    model,
    tokenizer,
    source,
    embeddingRms,
    folder,
    hash: added === undefined ? hash : () => adaptedHash(hash(), added),
    weights: form,
    exact,
    base,
  };
}

/** A name that finds the model from other folders, too: that of a file or folder with its whole path. */
function lastingName(name: string, { folder, file }: ModelFiles): string {
  const place = folder ?? file;
  if (place === undefined) return name; // the embedded one
  try {
    Deno.statSync(name);
    return Deno.realPathSync(place);
  } catch {
    return name; // in the hub's cache
  }
}
