import { UserError } from "../../gpu/errors.ts";
import type { ModelConfig } from "../transformer/config.ts";

/** Sines and cosines of all positions are kept. */
const MOST_POSITIONS = 2 ** 24;

/**
 * Refuses shapes that no file format rules out by itself.
 *
 * @throws UserError that says what does not fit
 */
export function checkShape(config: ModelConfig, where: string): void {
  const { heads, kvHeads, headDim, usedVocabSize, vocabSize, bosTokenId, maxPosition } = config;
  const refuse = (what: string) => new UserError(`Cannot open the model by ${where}: ${what}`);
  if (heads % kvHeads !== 0) {
    throw refuse(`${heads} heads share ${kvHeads} key/value heads, a divisor is needed`);
  }
  if (headDim % 4 !== 0) throw refuse(`a head is ${headDim} wide, a multiple of 4 is needed`);
  if (maxPosition > MOST_POSITIONS) {
    throw refuse(`its context is ${maxPosition} tokens long, at most ${MOST_POSITIONS} are possible`);
  }
  if (usedVocabSize > vocabSize) {
    throw refuse(`${usedVocabSize} of ${vocabSize} tokens are in use, at most all can be`);
  }
  if (bosTokenId !== undefined && bosTokenId >= vocabSize) {
    throw refuse(`bos_token_id is ${bosTokenId}, an id below ${vocabSize} is needed`);
  }
}
