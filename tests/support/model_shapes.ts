import type { ModelConfig } from "../../model/transformer/config.ts";

const LLAMA: Omit<ModelConfig, "layers" | "hiddenSize" | "heads" | "kvHeads" | "intermediateSize"> = {
  architecture: "llama",
  vocabSize: 49152,
  usedVocabSize: 49152,
  headDim: 64,
  normEps: 1e-5,
  ropeTheta: 100000,
  tied: true,
  qkvBias: false,
  qkNorm: false,
  maxPosition: 2048,
  eosTokenIds: [2],
};

/** Shapes of models that people train, without their weights. */
export const MODEL_SHAPES = {
  "SmolLM2-135M": { ...LLAMA, layers: 30, hiddenSize: 576, heads: 9, kvHeads: 3, intermediateSize: 1536 },
  "Llama 3.2 1B": {
    ...{ ...LLAMA, vocabSize: 128256, usedVocabSize: 128256, ropeTheta: 500000, maxPosition: 4096 },
    ...{ layers: 16, hiddenSize: 2048, heads: 32, kvHeads: 8, intermediateSize: 8192 },
  },
  "Qwen 2.5 0.5B": {
    ...{ ...LLAMA, architecture: "qwen2", vocabSize: 151936, usedVocabSize: 151665, qkvBias: true },
    ...{ normEps: 1e-6, ropeTheta: 1000000, maxPosition: 4096 },
    ...{ layers: 24, hiddenSize: 896, heads: 14, kvHeads: 2, intermediateSize: 4864 },
  },
  "Qwen 3 0.6B": {
    ...{
      ...LLAMA,
      architecture: "qwen3",
      vocabSize: 151936,
      usedVocabSize: 151669,
      qkNorm: true,
      headDim: 128,
    },
    ...{ normEps: 1e-6, ropeTheta: 1000000, maxPosition: 4096 },
    ...{ layers: 28, hiddenSize: 1024, heads: 16, kvHeads: 8, intermediateSize: 3072 },
  },
} as const satisfies Record<string, ModelConfig>;
