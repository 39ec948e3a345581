/** The shape of a Llama-family transformer, as data: nothing else in the program names an architecture. */
export interface ModelConfig {
  /** Hugging Face `model_type`: decides the names and the biases written into config.json. */
  architecture: "llama" | "qwen2" | "qwen3";
  /** V, rows of the token embedding. */
  vocabSize: number;
  /** d, width of the residual stream. */
  hiddenSize: number;
  /** Blocks. */
  layers: number;
  /** Query heads. */
  heads: number;
  /** Key/value heads; `heads` must be a multiple. */
  kvHeads: number;
  /** Width of one head; need not be hiddenSize / heads (Qwen 3). */
  headDim: number;
  /** Width of the SwiGLU layer. */
  intermediateSize: number;
  /** Added to the mean square in every RMSNorm. */
  normEps: number;
  /** Base of the rotary frequencies. */
  ropeTheta: number;
  /** How they are stretched; not at all if left out. */
  ropeScaling?: RopeScaling;
  /** The LM head shares the embedding matrix. */
  tied: boolean;
  /** Q, K and V projections have a bias (Qwen 2). */
  qkvBias: boolean;
  /** RMSNorm on every head of Q and K before the rotation (Qwen 3). */
  qkNorm: boolean;
  /** Longest context, in tokens. */
  maxPosition: number;
  /** The beginning-of-sequence token, if config.json names one. */
  bosTokenId?: number;
  /** Any of them ends a text. */
  eosTokenIds: number[];
  /** Ids at or above this are padding of the embedding and are never sampled; vocabSize if there are none. */
  usedVocabSize: number;
}

/** How rotary frequencies are stretched beyond the context a model was first trained on. */
export type RopeScaling =
  | { type: "linear"; factor: number }
  | {
    type: "llama3";
    factor: number;
    lowFreqFactor: number;
    highFreqFactor: number;
    originalMaxPosition: number;
  };
