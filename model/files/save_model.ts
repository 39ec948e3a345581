import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";
import type { ModelExtras } from "./model_extras.ts";
import { writeParams } from "./params_file.ts";
import { writeCompanions } from "./write_companions.ts";

/** A model with its tokenizer, and where it came from. */
export interface LoadedModel {
  /** On the device. */
  model: Model;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Folder or name, for messages. */
  source: string;
}

/** Writes a model as a Hugging Face folder that transformers loads. The folder is made if need be. */
export async function saveModel(
  loaded: LoadedModel,
  folder: string,
  dtype: "F32" | "F16",
  extras: ModelExtras,
): Promise<void> {
  const { model: { gpu, config, params }, tokenizer } = loaded;
  Deno.mkdirSync(folder, { recursive: true });
  await writeParams(gpu, config, [{ prefix: "", params }], `${folder}/model.safetensors`, dtype);
  writeCompanions(folder, { config, dtype, tokenizer, extras });
}
