import { madeUpGroups, repeatedUpdate } from "../../../cli/bench/repeated_update.ts";
import { type MixingOptions, type Way, wayOfThinking } from "../../../model/thinking/ways.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { generate } from "../../../model/generation/generate.ts";
import { STRIDE } from "../../../model/transformer/stride_steps.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Model } from "../../../model/transformer/transformer.ts";

const tokenizer = builtinTokenizer();

/** Tokens of the prompt that {@link rolloutSteps} are taken after. */
export const PROMPT = 64;

/** A shape of the Llama family, heads of 64, tied, all of the vocabulary used. */
export function shapeOf(changes: Partial<ModelConfig>): ModelConfig {
  const { hiddenSize = 256, vocabSize = 512 } = changes;
  return {
    architecture: "llama",
    vocabSize,
    hiddenSize,
    layers: 2,
    heads: hiddenSize / 64,
    kvHeads: hiddenSize / 64,
    headDim: 64,
    intermediateSize: 2 * hiddenSize,
    normEps: 1e-5,
    ropeTheta: 10000,
    tied: true,
    qkvBias: false,
    qkNorm: false,
    maxPosition: 4200,
    eosTokenIds: [],
    usedVocabSize: vocabSize,
    ...changes,
  };
}

/**
 * What probabilities look like under random weights: flat where logits have a standard deviation of 0.3 or so, peaked
 * where it is 100 and more, so that nearly always one token alone has a weight above 2^-30.
 */
const DISTRIBUTIONS = { flat: 0.3, peaked: 100 };

/** Makes a model with random weights (embeddings of deviation 0.02) flat or peaked. */
export function shapeLogits({ gpu, config, params }: Model, shape: keyof typeof DISTRIBUTIONS): void {
  const factor = DISTRIBUTIONS[shape] / (0.02 * Math.sqrt(config.hiddenSize));
  uploadRows(gpu, params.finalNorm, 0, new Float32Array(config.hiddenSize).fill(factor));
}

const prompt = Array.from({ length: PROMPT }, (_, i) => i);
const thinkingOf = (way: Way, mixing: MixingOptions = {}) =>
  wayOfThinking(way, { ...mixing, greedy: false, gamma: 0.33, embeddingRms: 0.02 });

/**
 * Seconds of `steps` steps of thinking of rollouts of one prompt, after the first few: the prompt has been read by then.
 * @param clock milliseconds, of the wall or of what else is to be measured
 */
export async function rolloutSteps(
  model: Model,
  group: number,
  steps: number,
  way: Way,
  mixing: MixingOptions = {},
  clock: () => number = () => performance.now(),
): Promise<number> {
  using scratch = model.gpu.arena.scratch();
  let started = 0;
  await generate(model, tokenizer, {
    prompts: [prompt],
    group,
    rolloutIds: Uint32Array.from({ length: group }, (_, i) => i),
    thinking: thinkingOf(way, mixing),
    rules: thinkingRules(tokenizer, { maxThinking: steps + STRIDE, maxAnswer: 1, endTokenIds: [] }),
    answerTau: 0,
    plain: true,
    seed: 0,
    step: 1,
    readBehind: false,
    onTokens: () => void (started ||= clock()),
  }, scratch);
  return (clock() - started) / 1000;
}

/** What tells the seconds of an update in a way of thinking, on `group` rollouts of one prompt that have thought for `steps` steps. */
export function updates(model: Model, group: number, steps: number) {
  const { gpu, config } = model;
  const hidden = gpu.arena.create([group, steps, config.hiddenSize], "f32", "rows fed");
  const groups = madeUpGroups([prompt], group, () => steps, config.usedVocabSize);
  const { record, optimizer, objective } = repeatedUpdate(model, groups, thinkingOf("hard"), hidden);
  return async (way: Way, mixing: MixingOptions, clock: () => number): Promise<number> => {
    objective.thinking = thinkingOf(way, mixing);
    const started = clock();
    await record()();
    await gpu.reader.read(optimizer.norm);
    return (clock() - started) / 1000;
  };
}
