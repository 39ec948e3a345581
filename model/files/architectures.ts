import { UserError } from "../../gpu/errors.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { shownField } from "./config_fields.ts";

/** Which families can be opened. */
export const ARCHITECTURES: readonly ModelConfig["architecture"][] = ["llama", "qwen2", "qwen3"];

/**
 * The family of a name.
 *
 * @param name as config.json or the metadata of a GGUF file gives it
 * @param where what messages call the file
 * @throws UserError that names it and those supported
 */
export function findArchitecture(name: unknown, where: string): ModelConfig["architecture"] {
  const found = ARCHITECTURES.find((architecture) => architecture === name);
  if (found) return found;
  throw new UserError(
    `Cannot open the model by ${where}: its architecture is ${shownField(name)}, ` +
      `one of ${ARCHITECTURES.join(", ")} is needed`,
    "Llama 2 and 3, SmolLM2, Qwen 2.5 and Qwen 3 (without mixture of experts) are of these families",
  );
}
