import { syncFolder } from "../formats/placed_file.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { toHfConfig } from "./hf_config.ts";
import type { ModelExtras } from "./model_extras.ts";
import { writeJson, writeWhole } from "./write_whole.ts";

/** What a Hugging Face folder holds beside a model's weights. */
interface Companions {
  /** Shape of the model. */
  config: ModelConfig;
  /** How its weights are stored. */
  dtype: "F32" | "F16" | "BF16";
  tokenizer: Tokenizer;
  /** For softcot.json, which is not written where they are left out. */
  extras?: ModelExtras;
}

const HF_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** Writes configuration, softcot.json and tokenizer into a model's folder, and sees to it that the folder is on the disk. */
export function writeCompanions(folder: string, { config, dtype, tokenizer, extras }: Companions): void {
  writeJson(`${folder}/config.json`, toHfConfig(config, HF_NAMES[dtype]));
  if (extras !== undefined) writeJson(`${folder}/softcot.json`, extras);
  for (const [name, text] of Object.entries(tokenizer.files)) {
    if (text !== undefined) writeWhole(`${folder}/${name}`, text);
  }
  syncFolder(folder);
}
