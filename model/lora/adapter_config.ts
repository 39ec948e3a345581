/**
 * Adapters on disk, in the form of Python's PEFT: adapter_model.safetensors with adapter_config.json. softcot.json beside
 * them names the base model and the hash of its weights.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { readExtras } from "../files/model_extras.ts";
import type { LoraSettings } from "../transformer/adapter.ts";
import { modelFile } from "../files/model_file.ts";
import { readPlainText } from "../files/plain_file.ts";
import { parseJson } from "../files/parse_json.ts";

/** File of an adapter's A and B. */
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

/** File of its settings. */
export const ADAPTER_CONFIG = "adapter_config.json";

/** What adapter_config.json says. */
interface AdapterConfig extends LoraSettings {
  /** `base_model_name_or_path`, where it names one. */
  baseName?: string;
}

/**
 * Reads adapter_config.json.
 * @throws UserError if it is damaged, or asks for what is more than plain LoRA
 */
export function readAdapterConfig(folder: string): AdapterConfig {
  const path = modelFile(folder, ADAPTER_CONFIG);
  const refuse = (what: string) =>
    new UserError(`Cannot use the adapter ${folder}: ${ADAPTER_CONFIG}: ${what}`);
  let data: Record<string, unknown>;
  try {
    data = parseJson(readPlainText(path)) as Record<string, unknown>;
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (typeof data !== "object" || data === null) throw refuse("it holds no object");
  if (data.peft_type !== "LORA") {
    throw refuse(`peft_type is ${JSON.stringify(data.peft_type)}, LORA is needed`);
  }
  const { r, lora_alpha: alpha } = data;
  if (!Number.isInteger(r) || (r as number) < 1 || (r as number) > MOST_RANK) {
    throw refuse(`r is ${JSON.stringify(r)}, a whole number from 1 to ${MOST_RANK} is needed`);
  }
  if (typeof alpha !== "number" || !Number.isFinite(alpha)) {
    throw refuse(`lora_alpha is ${JSON.stringify(alpha)}, a number is needed`);
  }
  for (const key of UNSUPPORTED) {
    if (isSet(data[key])) {
      throw refuse(`${key} is ${JSON.stringify(data[key])}, which softcot does not support`);
    }
  }
  const base = data.base_model_name_or_path;
  return {
    rank: r as number,
    alpha,
    rankStabilised: data.use_rslora === true,
    ...(typeof base === "string" && base !== "" ? { baseName: base } : {}),
  };
}

const MOST_RANK = 4096;

/** Settings of PEFT that change what is computed; dropout, which acts in training only, is not among them. */
const UNSUPPORTED = [
  "use_dora",
  "use_qalora",
  "use_bdlora",
  "kasa_config",
  "monteclora_config",
  "fan_in_fan_out",
  "modules_to_save",
  "rank_pattern",
  "alpha_pattern",
  "lora_bias",
  "alora_invocation_tokens",
  "layer_replication",
  "trainable_token_indices",
  "target_parameters",
];

function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/**
 * The name of an adapter's base model.
 * @throws UserError if its files name none
 */
export function baseOf(folder: string): { name: string; hash?: string } {
  const { base } = readExtras(folder);
  const name = base?.name ?? readAdapterConfig(folder).baseName;
  if (name !== undefined) return { name, hash: base?.hash };
  throw new UserError(
    `Cannot open ${folder} as a model: it holds an adapter that names no base model, one is needed`,
    `give both: --model BASE --adapter ${folder}`,
  );
}
