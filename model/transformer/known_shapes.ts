import type { ModelConfig } from "./config.ts";

/** What shapes of a family have in common. */
type Common = Omit<
  ModelConfig,
  "layers" | "hiddenSize" | "heads" | "kvHeads" | "headDim" | "intermediateSize"
>;

/** Layers, width, heads, those of keys and values, width of one, width of the SwiGLU layer. */
type Sizes = readonly [number, number, number, number, number, number];

const LLAMA: Common = {
  ...{ architecture: "llama", vocabSize: 128256, usedVocabSize: 128256, normEps: 1e-5, ropeTheta: 500000 },
  ...{ tied: true, qkvBias: false, qkNorm: false, maxPosition: 131072, eosTokenIds: [128009] },
};
const QWEN: Common = {
  ...{ architecture: "qwen2", vocabSize: 151936, usedVocabSize: 151665, normEps: 1e-6, ropeTheta: 1000000 },
  ...{ tied: true, qkvBias: true, qkNorm: false, maxPosition: 32768, eosTokenIds: [151645] },
};
const QWEN_3: Common = {
  ...QWEN,
  ...{ architecture: "qwen3", usedVocabSize: 151669, qkvBias: false, qkNorm: true, maxPosition: 40960 },
};
const SMOL: Common = {
  ...{ ...LLAMA, vocabSize: 49152, usedVocabSize: 49152, ropeTheta: 100000 },
  ...{ maxPosition: 8192, eosTokenIds: [2] },
};

const shape = (
  common: Common,
  [layers, hiddenSize, heads, kvHeads, headDim, intermediateSize]: Sizes,
): ModelConfig => ({ ...common, layers, hiddenSize, heads, kvHeads, headDim, intermediateSize });

/** Shapes of models that people train, without their weights: as their config.json files on the hub have them. */
export const KNOWN_SHAPES: Readonly<Record<string, ModelConfig>> = {
  "SmolLM2-135M": shape(SMOL, [30, 576, 9, 3, 64, 1536]),
  "Llama-3.2-1B": shape(LLAMA, [16, 2048, 32, 8, 64, 8192]),
  "Llama-3.2-3B": shape(LLAMA, [28, 3072, 24, 8, 128, 8192]),
  "Llama-3.1-8B": shape({ ...LLAMA, tied: false }, [32, 4096, 32, 8, 128, 14336]),
  "Qwen2.5-0.5B": shape(QWEN, [24, 896, 14, 2, 64, 4864]),
  "Qwen2.5-1.5B": shape(QWEN, [28, 1536, 12, 2, 128, 8960]),
  "Qwen2.5-3B": shape(QWEN, [36, 2048, 16, 2, 128, 11008]),
  "Qwen2.5-7B": shape({ ...QWEN, vocabSize: 152064, tied: false }, [28, 3584, 28, 4, 128, 18944]),
  "Qwen3-0.6B": shape(QWEN_3, [28, 1024, 16, 8, 128, 3072]),
  "Qwen3-1.7B": shape(QWEN_3, [28, 2048, 16, 8, 128, 6144]),
  "Qwen3-4B": shape(QWEN_3, [36, 2560, 32, 8, 128, 9728]),
  "Qwen3-8B": shape({ ...QWEN_3, tied: false }, [36, 4096, 32, 8, 128, 12288]),
};
