import type { SeenSteps } from "../../model/generation/look_back.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";

/** A token of a step's mixture with its weight; and where that is not its probability under the step's softmax(z / tau), with that, too. */
export type MixedToken = [id: number, weight: number] | [id: number, weight: number, probability: number];

/** Tokens of a step that are kept at most: those of the largest weights. */
export const MOST_MIXED = 8;

/** What thinking steps were made of, as it is kept with a rollout. Weights have four decimal places; those that round to 0 are left out. */
export interface KeptSteps {
  /** By step, tokens by weight, the largest first, {@link MOST_MIXED} at most: what is left out weighs 1 less their sum. Absent of tokens. */
  mixtures?: MixedToken[][];
  /** By step, norm of the noise over its expected norm, about 1; absent where steps have no Gaussian noise. */
  noise?: number[];
  /**
   * By step, -ln p of what was drawn, in nats: of Gaussian noise by dimension, in units of its standard deviation (1.419 is expected); of
   * drawn tokens their mean. Absent where nothing is drawn, or what is has no such density; of hard thinking it is -ln p of its tokens.
   */
  surprise?: number[];
  /** Text of every token that the record names, by id: no tokenizer is needed to read it. A part of a character has U+FFFD. */
  pieces: Record<string, string>;
}

/** What was seen of the `count` steps from `first` on, as it is kept. */
export function keptSteps(
  { noise, mixesDraws }: Pick<Thinking, "noise" | "mixesDraws">,
  seen: SeenSteps,
  first: number,
  count: number,
): Omit<KeptSteps, "pieces"> {
  const steps = Array.from({ length: count }, (_, t) => tokensOf(seen, first + t));
  const sizes = Array.from(seen.noise.subarray(first, first + count));
  const kept = { mixtures: steps.map(mixedTokens) };
  if (mixesDraws) return { ...kept, surprise: steps.map((tokens) => decimals(surpriseOfDraws(tokens))) };
  if (!noise) return kept;
  const surprise = sizes.map((size) => decimals(0.5 * Math.log(2 * Math.PI) + 0.5 * size * size));
  return { ...kept, noise: sizes.map(decimals), surprise };
}

/** The texts of all these tokens, by id. */
export const piecesOf = (
  tokenizer: Pick<Tokenizer, "tokenText">,
  ids: Iterable<number>,
): KeptSteps["pieces"] => Object.fromEntries([...new Set(ids)].map((id) => [id, tokenizer.tokenText(id)]));

/** The ids of all tokens that mixtures name. */
export const idsOf = (mixtures: readonly MixedToken[][] = []): number[] => mixtures.flat().map(([id]) => id);

interface SeenToken {
  id: number;
  weight: number;
  probability: number;
}

const tokensOf = ({ width, ids, weights, probabilities }: SeenSteps, step: number): SeenToken[] =>
  Array.from({ length: width }, (_, j) => step * width + j)
    .map((at) => ({ id: ids[at], weight: weights[at], probability: probabilities[at] }));

/** One drawn twice is there twice. */
const surpriseOfDraws = (tokens: readonly SeenToken[]): number =>
  tokens.reduce((sum, { probability }) => sum - Math.log(probability), 0) / tokens.length;

function mixedTokens(tokens: readonly SeenToken[]): MixedToken[] {
  const byId = new Map<number, SeenToken>();
  for (const token of tokens) {
    byId.set(token.id, { ...token, weight: token.weight + (byId.get(token.id)?.weight ?? 0) });
  }
  return [...byId.values()]
    // Weights may be negative (covariance): the largest are those that count most.
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, MOST_MIXED)
    .filter(({ weight }) => decimals(weight) !== 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ id, weight, probability }): MixedToken =>
      decimals(weight) === decimals(probability)
        ? [id, decimals(weight)]
        : [id, decimals(weight), Number(probability.toPrecision(3))]
    );
}

/** Four decimal places; JSON has no infinities and no -0. */
const decimals = (value: number): number => Math.max(-1e9, Math.min(1e9, Math.round(value * 1e4) / 1e4)) + 0;
