/**
 * Adapters on disk, in the form of Python's PEFT: adapter_model.safetensors with adapter_config.json. softcot.json beside
 * them names the base model and the hash of its weights.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { uploadRows } from "../../gpu/matrix.ts";
import { type ModelExtras, readExtras, writeParams, writeWhole } from "../files/checkpoint.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { readTensor, type TensorFile } from "../formats/tensor_file.ts";
import { syncFolder } from "../formats/safetensors_writer.ts";
import { cachedSnapshot } from "../hub/hub_cache.ts";
import {
  type Adapter,
  createAdapter,
  isTarget,
  type LoraSettings,
  refreshAdapter,
} from "../transformer/adapter.ts";
import { FUSED, fusedShape, loraTensors } from "../transformer/lora_params.ts";
import type { Model } from "../transformer/transformer.ts";
import { isThere } from "../files/on_disk.ts";
import { checkpointsOf } from "../files/checkpoints_of.ts";

/** File of an adapter's A and B. */
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";

/** Writes an adapter as a folder that PEFT loads. The folder is made if need be. */
export async function saveAdapter(model: Model, folder: string, extras: ModelExtras): Promise<void> {
  const { gpu, config, adapter } = model;
  if (!adapter) throw new Error(`Cannot save an adapter to ${folder}: the model has none`);
  Deno.mkdirSync(folder, { recursive: true });
  const sets = [{ prefix: "", params: adapter.params }];
  const isKept = (name: string) => isTarget(adapter.settings, projectionOf(name));
  await writeParams(gpu, config, sets, `${folder}/${ADAPTER_WEIGHTS}`, "F32", undefined, isKept);
  const base = adapter.base && { base: adapter.base };
  const json = (data: unknown) => JSON.stringify(data, null, 2) + "\n";
  writeWhole(`${folder}/${CONFIG}`, json(peftConfig(config, adapter)));
  writeWhole(`${folder}/softcot.json`, json({ ...extras, ...base }));
  syncFolder(folder);
}

function peftConfig(config: ModelConfig, { settings, base }: Adapter) {
  const names = FUSED.flatMap((fused) => fusedShape(config, fused).parts.map(({ name }) => name));
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base?.name ?? null,
    r: settings.rank,
    lora_alpha: settings.alpha,
    use_rslora: settings.rankStabilised === true,
    target_modules: names.filter((name) => isTarget(settings, name)).map((name) => name.replace(/^.*\./, "")),
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
  };
}

const projectionOf = (tensor: string) => tensor.replace(/\.lora_[AB]\.weight$/, "");

/**
 * The folder of an adapter: one that holds adapter_config.json, a run trained with one (its best checkpoint, else its
 * newest), or a repository in the hub's cache; undefined if it is none of them.
 */
export function findAdapter(name: string): string | undefined {
  const folder = isThere(name) ? name : cachedSnapshot("model", name) ?? name;
  return [folder, `${folder}/best`, ...checkpointsOf(folder)].find((place) => isThere(`${place}/${CONFIG}`));
}

/** The adapter that a model's name stands for: undefined where a whole model lies in the same place. */
export function findAdaptedModel(name: string): string | undefined {
  const found = findAdapter(name);
  return found !== undefined && isThere(`${found}/config.json`) ? undefined : found;
}

/**
 * The folder of an adapter, as {@link findAdapter} finds it.
 * @throws UserError if there is none
 */
export function locateAdapter(name: string): string {
  const found = findAdapter(name);
  if (found !== undefined) return found;
  throw new UserError(
    `Cannot find an adapter in ${name}: looked for ${CONFIG} there (a folder of PEFT), then in best and ` +
      "checkpoints/step-... (a run trained with --lora); none is there",
    "--adapter takes the folder of a LoRA adapter",
  );
}

/** What adapter_config.json says. */
export interface AdapterConfig extends LoraSettings {
  /** `base_model_name_or_path`, where it names one. */
  baseName?: string;
}

/**
 * Reads adapter_config.json.
 * @throws UserError if it is damaged, or asks for what is more than plain LoRA
 */
export function readAdapterConfig(folder: string): AdapterConfig {
  const path = `${folder}/${CONFIG}`;
  const refuse = (what: string) => new UserError(`Cannot use the adapter ${folder}: ${CONFIG}: ${what}`);
  let data: Record<string, unknown>;
  try {
    data = JSON.parse(Deno.readTextFileSync(path));
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
 * Loads an adapter onto the device. Projections that the file does not name are not adapted.
 * @throws UserError if it is damaged, or does not fit the model
 */
export function loadAdapter(gpu: Gpu, config: ModelConfig, folder: string): Adapter {
  const { baseName: _, ...settings } = readAdapterConfig(folder);
  const file = openSafetensors(`${folder}/${ADAPTER_WEIGHTS}`);
  try {
    const names = checkNames(file, config, folder);
    const targets = names.size === ALL ? {} : { targets: [...names].sort() };
    const adapter = createAdapter(gpu, config, { ...settings, ...targets });
    readInto(gpu, config, adapter, file, folder);
    return adapter;
  } finally {
    file.close();
  }
}

/**
 * Loads A and B of a folder into an adapter of that form.
 * @throws UserError if the file is missing or damaged, or does not fit
 */
export function readAdapter(gpu: Gpu, config: ModelConfig, adapter: Adapter, folder: string): void {
  const file = openSafetensors(`${folder}/${ADAPTER_WEIGHTS}`);
  try {
    checkNames(file, config, folder);
    readInto(gpu, config, adapter, file, folder);
  } finally {
    file.close();
  }
}

function readInto(gpu: Gpu, config: ModelConfig, adapter: Adapter, file: TensorFile, folder: string): void {
  for (const { name, shape, matrix, row } of loraTensors(config, adapter.params)) {
    const found = file.tensors.get(name);
    if (!found) continue;
    if (found.shape.join() !== shape.join()) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${name} is [${found.shape.join(", ")}], the model asks for ` +
          `[${shape.join(", ")}]`,
        fitHint(folder),
      );
    }
    uploadRows(gpu, matrix, row, readTensor(file, name));
  }
  refreshAdapter(gpu, adapter);
}

/** What to do where an adapter does not fit the model. */
function fitHint(folder: string): string {
  const name = readExtras(folder).base?.name ?? readAdapterConfig(folder).baseName;
  return name === undefined
    ? "an adapter fits the model that it was trained on, and models of the same shape"
    : `it was trained on ${name}: give --model ${name}`;
}

/** Projections of a block. */
const ALL = 7;

/** The projections that the file adapts; refuses tensors that are no A and B of this model's. */
export function checkNames(file: TensorFile, config: ModelConfig, folder: string): Set<string> {
  const projections = FUSED.flatMap((fused) => fusedShape(config, fused).parts.map(({ name }) => name));
  const known = new Set(projections);
  const names = new Set<string>();
  for (const tensor of file.tensors.keys()) {
    const parts = /^base_model\.model\.model\.layers\.(\d+)\.(.+)\.lora_[AB]\.weight$/.exec(tensor);
    const other = tensor.replace(/\.lora_([AB])\./, (_, which) => `.lora_${which === "A" ? "B" : "A"}.`);
    if (!parts || Number(parts[1]) >= config.layers || !known.has(parts[2])) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} holds ${tensor}, which is no update of a linear layer of the model`,
        `${fitHint(folder)}; adapted can be ${projections.join(", ")} of ${config.layers} layers`,
      );
    }
    if (!file.tensors.has(other)) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} holds ${tensor} without ${other}`,
      );
    }
    names.add(parts[2].replace(/^.*\./, ""));
  }
  if (names.size > 0) return names;
  throw new UserError(
    `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} is empty, the A and B of a model are needed`,
  );
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
