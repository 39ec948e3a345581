import type { Gpu } from "../../../gpu/gpu.ts";
import { readParams } from "../../../model/files/params_file.ts";
import { openWeights } from "../../../model/formats/safetensors.ts";
import { createModel, type Model } from "../../../model/transformer/transformer.ts";
import { type Golden, goldenFolder, type GoldenModel } from "../../golden/load_golden.ts";

/** A golden model's weights on the device. */
export function goldenModel(gpu: Gpu, name: GoldenModel, { config }: Golden): Model {
  const model = createModel(gpu, config);
  const file = openWeights(goldenFolder(name));
  readParams(gpu, config, file, model.params, name);
  file.close();
  return model;
}
