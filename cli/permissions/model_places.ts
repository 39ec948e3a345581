import { dirname } from "node:path";
import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { behindBest } from "../../model/files/best_checkpoint.ts";
import { locateModel } from "../../model/files/locate_model.ts";
import { baseOf } from "../../model/lora/adapter_config.ts";
import { findAdapter } from "../../model/lora/locate_adapter.ts";
import { runFolderOf, savedValues } from "../defaults/saved_values.ts";
import { present, quietly, text } from "./told.ts";

/** Of a model's name: a run with the data it was trained on, an adapter with its base, a llama2.c file with its tokenizer. */
export function modelPlaces(name: string | undefined): string[] {
  if (name === undefined || name === BUILTIN) return [];
  const run = runFolderOf(name);
  const { data } = run === undefined ? {} : savedValues(run);
  const beside = name.endsWith(".bin") ? [dirname(name)] : [];
  const adapter = quietly(() => findAdapter(name));
  const base = adapter && quietly(() => baseOf(adapter).name);
  return [
    ...[name, behindBest(name), ...present(quietly(() => locateModel(name).path)), ...present(adapter)],
    ...[...present(run), ...present(text(data)), ...beside],
    // An adapter's base is a whole model: one that has an adapter of its own is refused.
    ...(base === undefined || base === name ? [] : modelPlaces(base)),
  ];
}
