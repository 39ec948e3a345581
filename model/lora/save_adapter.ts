import type { ModelExtras } from "../files/model_extras.ts";
import { writeParams } from "../files/params_file.ts";
import { writeJson } from "../files/write_whole.ts";
import { syncFolder } from "../formats/placed_file.ts";
import { type Adapter, isTarget } from "../transformer/adapter.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { FUSED, fusedShape } from "../transformer/lora_params.ts";
import type { Model } from "../transformer/transformer.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "./adapter_config.ts";

/** Writes an adapter as a folder that PEFT loads. The folder is made if need be. */
export async function saveAdapter(model: Model, folder: string, extras: ModelExtras): Promise<void> {
  const { gpu, config, adapter } = model;
  if (!adapter) throw new Error(`Cannot save an adapter to ${folder}: the model has none`);
  Deno.mkdirSync(folder, { recursive: true });
  const sets = [{ prefix: "", params: adapter.params }];
  const isKept = (name: string) => isTarget(adapter.settings, projectionOf(name));
  await writeParams(gpu, config, sets, `${folder}/${ADAPTER_WEIGHTS}`, "F32", undefined, isKept);
  const base = adapter.base && { base: adapter.base };
  writeJson(`${folder}/${ADAPTER_CONFIG}`, peftConfig(config, adapter));
  writeJson(`${folder}/softcot.json`, { ...extras, ...base });
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
