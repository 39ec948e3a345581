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
  const refuse: Refuse = (what, hint) =>
    new UserError(`Cannot use the adapter ${folder}: ${ADAPTER_CONFIG}: ${what}`, hint);
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
  refuseChangedBase(data.init_lora_weights, refuse);
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
  "arrow_config",
  "layer_replication",
  "trainable_token_indices",
  "target_parameters",
];

type Refuse = (what: string, hint?: string) => UserError;

/** Values of `init_lora_weights` that leave the base model as it is; so do true, false and nothing. */
const PLAIN_INITS = ["gaussian", "eva", "orthogonal", "mica"];

/** Those that PEFT turns into a plain adapter where it is asked to: `pissa_niter_16` and the like, too. */
const CONVERTIBLE = /^(pissa|corda|olora$|lora_ga$)/i;

/**
 * An adapter that began with a part of the base model's weights was trained beside weights that lack this part: beside
 * the base model as its files have it, it would count twice.
 */
function refuseChangedBase(init: unknown, refuse: Refuse): void {
  if (init == null || typeof init === "boolean") return;
  const name = typeof init === "string" ? init.toLowerCase() : "";
  if (PLAIN_INITS.includes(name)) return;
  const shown = `init_lora_weights is ${JSON.stringify(init)?.slice(0, 80)}`;
  const merge = "merge it into its base model in PEFT (merge_and_unload) and give the whole model";
  if (CONVERTIBLE.test(name)) {
    throw refuse(
      `${shown}, which changes the base model's weights before the training; weights as they were are needed`,
      `in PEFT, save_pretrained with path_initial_model_for_weight_conversion makes a plain adapter of it; or ${merge}`,
    );
  }
  if (name === "loftq") {
    throw refuse(
      `${shown}, which quantises the base model's weights; weights as they were are needed`,
      merge,
    );
  }
  throw refuse(`${shown}, one of true, false, ${PLAIN_INITS.join(", ")} is needed`);
}

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
