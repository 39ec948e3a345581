import type { Gpu } from "../../gpu/device.ts";
import { UserError } from "../../gpu/errors.ts";
import { type LoadedModel, type ModelExtras, readParams } from "../checkpoint.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { parseHfConfig } from "../hf_config.ts";
import { createModel } from "../transformer.ts";
import configJson from "./config.json" with { type: "text" };
import extrasJson from "./softcot.json" with { type: "text" };
import { builtinTokenizer } from "./tokenizer.ts";
import weightsBase64 from "./weights.base64" with { type: "text" };

/** What messages and results call the embedded model. */
export const BUILTIN = "builtin";

/**
 * Loads the embedded model: a Hugging Face folder's files (weights in f16), imported as text so that they are part
 * of every form of the program. `embed_weights.ts` writes them.
 * @throws UserError if this copy of the program holds no weights
 */
export function builtinModel(gpu: Gpu): LoadedModel {
  const file = openSafetensors(builtinWeights(), "the embedded weights");
  const config = parseHfConfig(JSON.parse(configJson), "the embedded config.json");
  const model = createModel(gpu, config);
  readParams(gpu, config, file, model.params, "the embedded model");
  return { model, tokenizer: builtinTokenizer(), source: BUILTIN };
}

/** The bytes of the embedded model.safetensors. */
export function builtinWeights(): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.fromBase64(weightsBase64);
  if (bytes.length > 0) return bytes;
  throw new UserError(
    "Cannot load the embedded model: this copy of softcot holds no weights for it",
    "make them with `softcot sft --out DIR`, then `deno run -A model/builtin/embed_weights.ts DIR`",
  );
}

/** The facts that stand beside the embedded model. */
export function builtinExtras(): ModelExtras {
  return JSON.parse(extrasJson);
}
