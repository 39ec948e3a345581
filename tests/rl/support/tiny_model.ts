import type { Gpu } from "../../../gpu/gpu.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { rootMeanSquare } from "../../../model/transformer/initialise.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { randomModel, SMALL } from "../../model/support/small_models.ts";

/** A random model of two blocks and grouped heads, of which updates take no time. */
export function tinyModel(gpu: Gpu, changes: Partial<ModelConfig> = {}, seed = 1): Model {
  const tiny = { hiddenSize: 24, headDim: 8, intermediateSize: 36, maxPosition: 128 };
  return randomModel(gpu, { ...SMALL, ...tiny, ...changes }, seed);
}

/** RMS(E) of a model: the unit of the noise. */
export async function embeddingRms({ gpu, params }: Model): Promise<number> {
  return rootMeanSquare(await downloadMatrix(gpu, params.embedding));
}
