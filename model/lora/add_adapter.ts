import { type Adapter, createAdapter, initialiseAdapter, type LoraSettings } from "../transformer/adapter.ts";
import type { Model } from "../transformer/transformer.ts";

/** Gives a model a new adapter, from which training starts at the model as it is. */
export function addAdapter(model: Model, settings: LoraSettings, seed: number): Adapter {
  const { gpu, config } = model;
  model.adapter = createAdapter(gpu, config, settings);
  initialiseAdapter(gpu, config, model.adapter, seed);
  return model.adapter;
}
