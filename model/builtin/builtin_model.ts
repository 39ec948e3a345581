import { UserError } from "../../gpu/errors.ts";
import { parseHfConfig } from "../files/hf_config.ts";
import type { ModelExtras } from "../files/model_extras.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { builtinTokenizer } from "./builtin_tokenizer.ts";
import configJson from "./config.json" with { type: "text" };
import extrasJson from "./softcot.json" with { type: "text" };
import weightsBase64 from "./weights.base64" with { type: "text" };

/** What the command line, messages and results call the embedded model. */
export const BUILTIN = "builtin";

/** The embedded model's shape, which is there without its weights. */
export const builtinConfig = (): ModelConfig =>
  parseHfConfig(JSON.parse(configJson), "the embedded config.json");

/**
 * The embedded model: the files of a Hugging Face folder (weights in f16), imported as text so that they are part of
 * every form of the program. `embed_weights.ts` writes them.
 * @throws UserError if this copy of the program holds no weights
 */
export function builtinModel(): {
  config: ModelConfig;
  tokenizer: Tokenizer;
  weights: TensorFile;
  extras: ModelExtras;
  /** model.safetensors itself. */
  bytes: Uint8Array<ArrayBuffer>;
} {
  const bytes = Uint8Array.fromBase64(weightsBase64);
  if (bytes.length === 0) {
    throw new UserError(
      "Cannot load the embedded model: this copy of softcot holds no weights for it",
      "make them with `softcot sft --out DIR`, then `deno run -A model/builtin/embed_weights.ts DIR`",
    );
  }
  return {
    config: builtinConfig(),
    tokenizer: builtinTokenizer(),
    weights: openSafetensors(bytes, "the embedded weights"),
    extras: JSON.parse(extrasJson),
    bytes,
  };
}
