import type { ModelConfig } from "../../model/transformer/config.ts";
import { shapeOf } from "../bench/support/rollout_steps.ts";

/** Shapes that are measured, by name; weights are random. */
export const SHAPES: Readonly<Record<string, ModelConfig>> = {
  "smollm2-135m": shapeOf({
    ...{ vocabSize: 49_152, hiddenSize: 576, layers: 30, heads: 9, kvHeads: 3 },
    ...{ intermediateSize: 1536, maxPosition: 2048 },
  }),
  "llama-1b": shapeOf({
    ...{ vocabSize: 128_256, hiddenSize: 2048, layers: 16, heads: 32, kvHeads: 8 },
    ...{ intermediateSize: 8192, maxPosition: 2048 },
  }),
};

/** The same with a width, layers and a vocabulary that a software device computes in a second. */
export const tinyShape = (shape: ModelConfig): ModelConfig => ({
  ...shape,
  ...{ vocabSize: 512, usedVocabSize: 512, hiddenSize: 128, layers: 1 },
  ...{ heads: 2, kvHeads: 1, headDim: 64, intermediateSize: 256, maxPosition: 640 },
});
