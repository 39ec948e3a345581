/** A token of a step's mixture with its weight; and where that is not its probability under the step's softmax(z / tau), with that, too. */
export type MixedToken = [id: number, weight: number] | [id: number, weight: number, probability: number];

/** Tokens of a step that are kept at most: those of the largest weights. */
export const MOST_MIXED = 8;

/** What thinking steps were made of, as it is kept with a rollout. Weights have four decimal places; those below half of the last are left out. */
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
