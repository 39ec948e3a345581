import { basename } from "node:path";
import { UserError } from "../../gpu/errors.ts";
import { readHfConfig } from "../../model/files/hf_config.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { KNOWN_SHAPES } from "../../model/transformer/known_shapes.ts";

/**
 * The shape of a model that need not be here: a known one by its name, that of a config.json, or that of a model at hand.
 * @throws UserError if it is none of them
 */
export function forecastModel(name: string): ModelConfig {
  if (Object.hasOwn(KNOWN_SHAPES, name)) return KNOWN_SHAPES[name];
  if (basename(name) === "config.json") return readHfConfig(name);
  try {
    using files = openModelFiles(name);
    return files.config;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const known = `shapes that are known without a model: ${Object.keys(KNOWN_SHAPES).join(", ")}`;
    throw new UserError(error.message, error.hint === undefined ? known : `${error.hint}; ${known}`);
  }
}
