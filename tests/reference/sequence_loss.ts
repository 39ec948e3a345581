import type { ModelConfig } from "../../model/transformer/config.ts";
import { separateLayout } from "./attention.ts";
import { crossEntropy, crossEntropyBackward } from "./cross_entropy.ts";
import { embeddingBackward, embeddingGather } from "./embedding.ts";
import { addInto } from "./support.ts";
import {
  EMBEDDING,
  headBackward,
  headForward,
  transformerBackward,
  transformerForward,
  type Weights,
  zeroGradients,
} from "./transformer.ts";

/** What `sequenceLoss` gives. */
export interface SequenceLossResult {
  /** [all ids, vocabSize], sequence after sequence. */
  logits: Float64Array;
  /** Summed over all next tokens of all sequences, padding ids masked. */
  loss: number;
  gradients: Weights;
}

/** Cross-entropy of all next tokens of packed sequences: the supervised loss, as a sum, and its gradient. */
export function sequenceLoss(
  config: ModelConfig,
  weights: Weights,
  sequences: number[][],
): SequenceLossResult {
  const { hiddenSize: d, vocabSize, usedVocabSize } = config;
  const ids = sequences.flat();
  const table = weights.get(EMBEDDING)!;
  const layout = separateLayout(sequences.map((s) => s.length));
  const trace = transformerForward(config, weights, embeddingGather(table, ids, d), layout);
  const logits = headForward(config, weights, trace.hidden);
  const targets = sequences.flatMap((s) => [...s.slice(1), 0]);
  const counts = sequences.flatMap((s) => s.map((_, t) => t < s.length - 1 ? 1 : 0));
  const { loss } = crossEntropy(logits, targets, counts, vocabSize, { usedVocabSize });
  const dLogits = crossEntropyBackward(logits, targets, counts, vocabSize, { usedVocabSize });
  const gradients = zeroGradients(config);
  const dHidden = headBackward(config, weights, trace.hidden, dLogits, gradients);
  const dx = transformerBackward(config, weights, trace, dHidden, gradients);
  addInto(gradients.get(EMBEDDING)!, embeddingBackward(dx, ids, vocabSize, d));
  return { logits, loss, gradients };
}
